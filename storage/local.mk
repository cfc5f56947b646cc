noinst_LIBRARIES += libstorage.a
libstorage_a_SOURCES = \
    %D%/manifest_files.c \
    %D%/manifest_parts.h \
    %D%/minisign.c %D%/minisign.h \
    %D%/model_manifest.c %D%/model_manifest.h \
    %D%/reader.c %D%/reader.h \
    %D%/record.h \
    %D%/safe_file.c %D%/safe_file.h \
    %D%/storage.h \
    %D%/vault.h \
    %D%/vault_keys.c %D%/vault_keys.h \
    %D%/words.c %D%/words.h \
    %D%/secret.c %D%/secret.h

# what links the vault; reader.h alone needs libstorage.a and libbase.a
STORAGE_LIBS = libstorage.a libbase.a \
    $(SODIUM_LIBS) $(SQLITE_LIBS) $(UTF8PROC_LIBS) $(JANSSON_LIBS)

libstorage_a_SOURCES += \
    %D%/little_endian.h \
    %D%/sealed.c %D%/sealed.h \
    %D%/vault_body.c %D%/vault_body.h

libstorage_a_SOURCES += %D%/sealed_export.c %D%/sealed_export.h
