/* All that can be looked at without a proof: the machine and the places. */
#include "config.h"

#include "app/doctor/doctor.h"

#include "app/places.h"
#include "base/confine.h"

#include <stdio.h>
#include <sys/resource.h>

static void
look_at_vault(struct findings *findings)
{
    static struct vault_folders at;
    static char path[PLACE_BYTES + 32];
    struct error err;

    if (places_vault(&at, &err) != STATUS_OK) {
        findings_add(findings, "vault", "Without a place nothing is kept.",
                     "%s", err.text);
        return;
    }
    doctor_folder(findings, "vault's folder", at.data);
    doctor_folder(findings, "vault's state", at.state);
    snprintf(path, sizeof path, "%s/vault.db", at.data);
    doctor_file(findings, "vault", path);
    snprintf(path, sizeof path, "%s/vault.keys", at.data);
    doctor_file(findings, "vault's keys", path);
    doctor_vault_system(findings, at.data);
}

static void
look_at_runtime(struct findings *findings)
{
    struct buffer path = {0};
    struct error err;

    if (rendezvous_directory(&path, &err) == STATUS_OK)
        doctor_runtime(findings, path.data);
    else
        findings_add(findings, "runtime directory",
                     "Without it there is no warm engine and no editor.", "%s",
                     err.text);
    buffer_release(&path);
}

void
doctor_look(struct findings *findings)
{
    struct rlimit locked = {0};

    doctor_filter(findings, confine_filtered());
    doctor_landlock(findings, confine_landlock());
    doctor_namespaces(findings);
    doctor_core_files(findings, &this_machine);
    doctor_debuggers(findings, &this_machine);
    doctor_swap(findings, &this_machine);
    doctor_hibernation(findings, &this_machine);
    getrlimit(RLIMIT_MEMLOCK, &locked);
    doctor_locked_memory(findings, locked.rlim_cur);
    look_at_vault(findings);
    look_at_runtime(findings);
}
