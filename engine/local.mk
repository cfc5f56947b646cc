noinst_LIBRARIES += libfathom.a
libfathom_a_SOURCES = \
    %D%/arch/arch.h \
    %D%/device/device.h \
    %D%/engine.h \
    %D%/experts/experts.h %D%/experts/resident.c \
    %D%/forward.h \
    %D%/gguf.c %D%/gguf.h %D%/gguf_parse.c %D%/gguf_parse.h \
    %D%/kv_cache.c %D%/kv_cache.h \
    %D%/model.h \
    %D%/prompt.h \
    %D%/tokenizer.h

# What a program that runs models links.
ENGINE_LIBS = libfathom.a libstorage.a $(KERNELS_LIBS) $(JANSSON_LIBS) $(PCRE2_LIBS)
