/* Who could read or change what the vault and the runtime directory hold. */
#include "config.h"

#include "app/doctor/doctor.h"

#include "storage/storage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <linux/magic.h>

static void
add_check(struct findings *findings, const char *check, const char *path,
          enum status status, const struct error *err)
{
    if (status == STATUS_OK)
        findings_add(findings, check, NULL, "%s is yours alone", path);
    else
        findings_add(findings, check,
                     "Until then fathom does not use it; who could write "
                     "there could have put something there.",
                     "%s", err->text);
}

static bool
is_there(const char *path)
{
    struct stat status;

    return lstat(path, &status) == 0;
}

void
doctor_folder(struct findings *findings, const char *check, const char *path)
{
    struct error err;

    if (!is_there(path))
        findings_add(findings, check, NULL, "%s is not there yet", path);
    else
        add_check(findings, check, path, safe_folder_check(path, &err), &err);
}

void
doctor_file(struct findings *findings, const char *check, const char *path)
{
    struct error err;

    if (is_there(path))
        add_check(findings, check, path, safe_file_check(path, &err), &err);
}

/* NULL: an ordinary file system. */
static const char *
shared_system(unsigned long magic)
{
    switch (magic) {
    case NFS_SUPER_MAGIC:
        return "NFS";
    case 0xFF534D42ul: // CIFS
    case 0xFE534D42ul: // SMB2
        return "SMB";
    case FUSE_SUPER_MAGIC:
        return "FUSE";
    case V9FS_MAGIC:
        return "9p";
    default:
        return NULL;
    }
}

void
doctor_vault_system(struct findings *findings, const char *path)
{
    struct statfs system;

    if (statfs(path, &system) != 0)
        return;
    const char *name =
        shared_system((unsigned long) system.f_type & 0xFFFFFFFFul);

    if (name == NULL)
        findings_add(findings, "vault's file system", NULL, "a local one");
    else
        findings_add(findings, "vault's file system",
                     "Locks and the order of writes may not hold there. Put "
                     "the vault on a local disk (FATHOM_VAULT) and back it up "
                     "to this place: fathom vault backup.",
                     "%s", name);
}

void
doctor_runtime(struct findings *findings, const char *path)
{
    struct statfs system;

    if (statfs(path, &system) != 0)
        findings_add(findings, "runtime directory",
                     "Without it there is no warm engine and no editor.",
                     "%s cannot be looked at", path);
    else if (system.f_type == TMPFS_MAGIC || system.f_type == RAMFS_MAGIC)
        findings_add(findings, "runtime directory", NULL, "%s is in memory",
                     path);
    else
        findings_add(findings, "runtime directory",
                     "What an editor is given would be on a disk. Let "
                     "XDG_RUNTIME_DIR be a tmpfs, such as /run/user/UID.",
                     "%s is not in memory", path);
}
