noinst_LIBRARIES += libquant.a
libquant_a_SOURCES = \
    %D%/bits.h \
    %D%/block32.h \
    %D%/codebooks.c %D%/codebooks.h \
    %D%/floats.c %D%/floats.h \
    %D%/format_rows.c \
    %D%/formats.c \
    %D%/ik_quants.c %D%/ik_quants.h \
    %D%/interleaved.c %D%/interleaved.h \
    %D%/iq.c %D%/iq.h \
    %D%/k_quants.c %D%/k_quants.h \
    %D%/legacy.c %D%/legacy.h \
    %D%/micro.c %D%/micro.h \
    %D%/quant.h \
    %D%/ternary.c %D%/ternary.h \
    %D%/trellis.c %D%/trellis.h
