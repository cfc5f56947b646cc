noinst_LIBRARIES += libquant.a
libquant_a_SOURCES = \
    %D%/bits.h \
    %D%/block32.h \
    %D%/floats.c %D%/floats.h \
    %D%/format_rows.c \
    %D%/formats.c \
    %D%/iq.c %D%/iq.h \
    %D%/k_quants.c %D%/k_quants.h \
    %D%/legacy.c %D%/legacy.h \
    %D%/quant.h
