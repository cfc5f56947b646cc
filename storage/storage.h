/*
 * storage: bytes that last. This is the folder's door; the engine enters by
 * storage/reader.h alone, which has no keys behind it.
 *
 *   vault.h        encrypted history, unlocked; record.h what it holds
 *   tags.h         words by which chats are found again
 *   needle.h       finding text whatever its case
 *   vault_keys.h   slots: passphrase, key file, recovery code
 *   secret.h       keys in locked memory
 *   derivation.h   Argon2id beside everything else
 *   safe_file.h    files that only their owner can reach
 *   minisign.h     keys and signatures of models
 *   model_manifest.h  what files a model consists of
 *   sealed_export.h  bytes under a passphrase of their own, to carry away
 *   reader.h       large files, read directly
 */
#ifndef FATHOM_STORAGE_STORAGE_H
#define FATHOM_STORAGE_STORAGE_H

#include "storage/derivation.h"
#include "storage/minisign.h"
#include "storage/model_manifest.h"
#include "storage/needle.h"
#include "storage/record.h"
#include "storage/safe_file.h"
#include "storage/sealed_export.h"
#include "storage/secret.h"
#include "storage/tags.h"
#include "storage/vault.h"
#include "storage/vault_keys.h"

#endif
