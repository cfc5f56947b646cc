noinst_LIBRARIES += libfathom.a
libfathom_a_SOURCES = \
    %D%/arch/arch.h %D%/arch/arch_deepseek.c \
    %D%/arch/arch_llama.c %D%/arch/arch_table.c \
    %D%/arch/shape.c %D%/arch/shape.h \
    %D%/arch/sublayers.c %D%/arch/sublayers.h \
    %D%/channels.c %D%/channels.h \
    %D%/confinement.c %D%/confinement.h \
    %D%/device/device.h \
    %D%/device/device_cpu.c %D%/device/device_cpu.h \
    %D%/device/device_cpu_attention.c %D%/device/device_cpu_experts.c \
    %D%/device/device_cpu_linear.c %D%/device/device_cpu_rows.c \
    %D%/device/device_cpu_scratch.c %D%/device/device_cpu_speed.c \
    %D%/engine.h \
    %D%/fingerprint.c %D%/fingerprint.h \
    %D%/experts/experts.h %D%/experts/resident.c \
    %D%/experts/expert_uses.c %D%/experts/expert_uses.h \
    %D%/forward.c %D%/forward.h \
    %D%/gguf.c %D%/gguf.h %D%/gguf_parse.c %D%/gguf_parse.h \
    %D%/kv_cache.c %D%/kv_cache.h \
    %D%/loop_finder.c %D%/loop_finder.h \
    %D%/model.c %D%/model.h %D%/model_describe.c \
    %D%/model_load.c %D%/model_parts.h \
    %D%/prompt.h \
    %D%/ready.c %D%/ready.h \
    %D%/sampler.c %D%/sampler.h \
    %D%/server.c %D%/server.h \
    %D%/server_client.c %D%/server_client.h \
    %D%/server_work.c %D%/server_work.h \
    %D%/session.c %D%/session.h %D%/session_parts.h \
    %D%/snapshot.c %D%/snapshot.h \
    %D%/tensor_table.c %D%/tensor_table.h \
    %D%/tokenizer.h \
    %D%/warm.c %D%/warm.h \
    %D%/workspace.c %D%/workspace.h

# What a program that runs models links.
ENGINE_LIBS = libfathom.a libstorage.a $(KERNELS_LIBS) \
    $(JANSSON_LIBS) $(PCRE2_LIBS) $(SODIUM_LIBS)

libfathom_a_SOURCES += \
    %D%/byte_pairs.c %D%/byte_pairs.h \
    %D%/byte_text.c %D%/byte_text.h \
    %D%/detokenizer.c %D%/detokenizer.h \
    %D%/merge_list.c %D%/merge_list.h \
    %D%/pretokenizer.c %D%/pretokenizer.h \
    %D%/prompt.c %D%/prompt_family.c \
    %D%/prompt_pieces.c %D%/prompt_pieces.h \
    %D%/prompt_table.c %D%/prompt_table.h \
    %D%/sentence_pieces.c %D%/sentence_pieces.h \
    %D%/text_table.c %D%/text_table.h \
    %D%/tokenizer.c %D%/tokenizer_open.c %D%/tokenizer_parts.h \
    %D%/vocabulary.c %D%/vocabulary.h

bin_PROGRAMS += fathom-engine
fathom_engine_SOURCES = %D%/engine_main.c
fathom_engine_LDADD = $(ENGINE_LIBS) libbase.a $(SECCOMP_LIBS) -lm
