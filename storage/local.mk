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
    %D%/tags.c %D%/tags.h \
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

libstorage_a_SOURCES += %D%/derivation.c %D%/derivation.h

libstorage_a_SOURCES += %D%/sealed_export.c %D%/sealed_export.h

libstorage_a_SOURCES += \
    %D%/anchor.c %D%/anchor.h \
    %D%/inbox.c %D%/inbox.h \
    %D%/row_keys.c %D%/row_keys.h \
    %D%/vault.c \
    %D%/vault_audit.c %D%/vault_audit.h \
    %D%/vault_build.c %D%/vault_build.h \
    %D%/vault_cache.c %D%/vault_cache.h \
    %D%/vault_backup.c \
    %D%/vault_care.c \
    %D%/vault_check.c \
    %D%/vault_copy.c %D%/vault_copy.h \
    %D%/vault_chat.c \
    %D%/vault_file.c %D%/vault_file.h \
    %D%/vault_input.c %D%/vault_input.h \
    %D%/vault_root.c %D%/vault_root.h \
    %D%/vault_search.c \
    %D%/needle.c %D%/needle.h
