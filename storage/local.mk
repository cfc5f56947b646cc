noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
    %D%/reader.c %D%/reader.h
