/* app/doctor/doctor.h on machines that are folders of files. */
#include "config.h"

#include "app/doctor/doctor.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct error err;
static char folder[64], proc[80], sys[80];
static struct machine machine = {proc, sys};
static struct findings findings;

static void shell(const char *format, ...) PRINTF_LIKE(1, 2);

static void
shell(const char *format, ...)
{
    char command[1000];
    va_list args;

    va_start(args, format);
    vsnprintf(command, sizeof command, format, args);
    va_end(args);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c): our own
}

/* A file of the machine, with the folders above it. */
static void
put(const char *path, const char *text)
{
    char whole[300];

    snprintf(whole, sizeof whole, "%s/%s", folder, path);
    shell("mkdir -p $(dirname %s)", whole);
    FILE *file = fopen(whole, "we");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static int
set_up(void **state)
{
    (void) state;
    strcpy(folder, "/tmp/fathom-doctor-XXXXXX");
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(proc, sizeof proc, "%s/proc", folder);
    snprintf(sys, sizeof sys, "%s/sys", folder);
    return findings_init(&findings, &err) == STATUS_OK ? 0 : -1;
}

static int
tear_down(void **state)
{
    char command[128];

    (void) state;
    findings_release(&findings);
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command); // NOLINT(cert-env33-c): a path of our own
}

static const char *
part(size_t i, const char *key)
{
    return json_string_value(
        json_object_get(json_array_get(findings.list, i), key));
}

#define IS_OK(i) assert_string_equal(part((i), "state"), "ok")
#define IS_WARN(i) assert_string_equal(part((i), "state"), "warn")

#define SWAPS "Filename\t\t\t\tType\t\tSize\tUsed\tPriority\n"

static void
no_swap_is_well(void **state)
{
    (void) state;
    doctor_swap(&findings, &machine); // no such file
    put("proc/swaps", SWAPS);
    doctor_swap(&findings, &machine);
    IS_OK(0);
    IS_OK(1);
    assert_int_equal(findings.warnings, 0);
}

static void
each_swap_is_told_apart(void **state)
{
    (void) state;
    put("proc/swaps",
        SWAPS "/dev/sda2                               partition\t1\t0\t-2\n"
              "/dev/dm-1                               partition\t1\t0\t-2\n"
              "/dev/dm-2                               partition\t1\t0\t-2\n"
              "/dev/zram0                              partition\t1\t0\t5\n"
              "/dev/zram1                              partition\t1\t0\t5\n"
              "/nowhere/swap\\040file                  file\t1\t0\t-3\n");
    put("sys/class/block/dm-1/dm/uuid", "CRYPT-LUKS2-0123-swap\n");
    put("sys/class/block/dm-2/dm/uuid", "LVM-abcdef\n");
    put("sys/class/block/dm-2/slaves/dm-1/size", "1\n");
    put("sys/class/block/zram0/backing_dev", "none\n");
    put("sys/class/block/zram1/backing_dev", "/dev/sda3\n");
    doctor_swap(&findings, &machine);
    assert_int_equal(json_array_size(findings.list), 6);
    IS_WARN(0);
    IS_OK(1); // encrypted
    IS_OK(2); // a volume on what is encrypted
    IS_OK(3); // compressed memory
    IS_WARN(4);
    IS_WARN(5);
    assert_int_equal(findings.warnings, 3);
}

static void
swap_is_safe_where_every_area_is(void **state)
{
    bool safe = false;

    (void) state;
    assert_int_equal(doctor_swap_safe(&safe, &machine, &err), STATUS_OK);
    assert_true(safe); // there is none
    put("proc/swaps", SWAPS "/dev/dm-1  partition\t1\t0\t-2\n");
    put("sys/class/block/dm-1/dm/uuid", "CRYPT-LUKS2-0123-swap\n");
    assert_int_equal(doctor_swap_safe(&safe, &machine, &err), STATUS_OK);
    assert_true(safe);
    put("proc/swaps", SWAPS "/dev/dm-1  partition\t1\t0\t-2\n"
                            "/dev/sda2  partition\t1\t0\t-3\n");
    assert_int_equal(doctor_swap_safe(&safe, &machine, &err), STATUS_OK);
    assert_false(safe);
}

static void
a_volume_half_on_a_plain_disk_is_not_encrypted(void **state)
{
    (void) state;
    put("proc/swaps", SWAPS "/dev/dm-2  partition\t1\t0\t-2\n");
    put("sys/class/block/dm-1/dm/uuid", "CRYPT-LUKS2-0123-swap\n");
    put("sys/class/block/dm-2/slaves/dm-1/size", "1\n");
    put("sys/class/block/dm-2/slaves/sda1/size", "1\n");
    doctor_swap(&findings, &machine);
    IS_WARN(0);
}

static void
devices_that_lie_on_themselves_end(void **state)
{
    (void) state;
    put("proc/swaps", SWAPS "/dev/dm-2  partition\t1\t0\t-2\n");
    put("sys/class/block/dm-2/slaves/dm-2/size", "1\n");
    doctor_swap(&findings, &machine);
    IS_WARN(0);
}

static void
hibernation_is_told_where_it_is_set_up(void **state)
{
    (void) state;
    doctor_hibernation(&findings, &machine);
    put("sys/power/state", "freeze mem\n");
    doctor_hibernation(&findings, &machine);
    put("sys/power/state", "freeze mem disk\n");
    put("sys/power/disk", "[disabled]\n");
    put("sys/power/resume", "8:2\n");
    doctor_hibernation(&findings, &machine);
    put("sys/power/disk", "[platform] shutdown\n");
    doctor_hibernation(&findings, &machine);
    put("sys/power/resume", "0:0\n");
    doctor_hibernation(&findings, &machine);
    put("sys/power/resume", "254:1\n");
    put("sys/class/block/dm-1/dm/uuid", "CRYPT-PLAIN-swap\n");
    shell("mkdir -p %s/dev/block && ln -s ../../devices/virtual/block/dm-1 "
          "%s/dev/block/254:1",
          sys, sys);
    doctor_hibernation(&findings, &machine);
    IS_OK(0);
    IS_OK(1);
    IS_OK(2);
    IS_WARN(3);
    IS_OK(4);
    IS_OK(5);
}

static void
core_files_that_go_to_a_program_are_told(void **state)
{
    (void) state;
    put("proc/sys/kernel/core_pattern", "core.%p\n");
    doctor_core_files(&findings, &machine);
    put("proc/sys/kernel/core_pattern", "|/usr/lib/keep %P\x1b[31m\n");
    doctor_core_files(&findings, &machine);
    IS_OK(0);
    IS_WARN(1);
    assert_non_null(strstr(part(1, "text"), "/usr/lib/keep %P\\x1B[31m"));
}

static void
yama_is_read(void **state)
{
    (void) state;
    doctor_debuggers(&findings, &machine);
    put("proc/sys/kernel/yama/ptrace_scope", "0\n");
    doctor_debuggers(&findings, &machine);
    put("proc/sys/kernel/yama/ptrace_scope", "1\n");
    doctor_debuggers(&findings, &machine);
    IS_WARN(0);
    IS_WARN(1);
    IS_OK(2);
}

static void
what_is_missing_is_warned_of(void **state)
{
    (void) state;
    doctor_filter(&findings, false);
    doctor_filter(&findings, true);
    doctor_landlock(&findings, 0);
    doctor_landlock(&findings, 4);
    doctor_locked_memory(&findings, 65536);
    doctor_locked_memory(&findings, UINT64_MAX);
    IS_WARN(0);
    IS_OK(1);
    IS_WARN(2);
    IS_OK(3);
    IS_WARN(4);
    IS_OK(5);
}

static void
lines_are_at_most_eighty_columns(void **state)
{
    struct buffer text = {0};

    (void) state;
    findings_add(&findings, "a", "do it", "%0200d", 1);
    findings_add(&findings, "b", NULL, "%s",
                 "one two three four five six seven eight nine ten eleven "
                 "twelve thirteen fourteen fifteen sixteen");
    assert_int_equal(findings_lines(&text, &findings, &err), STATUS_OK);
    // a word that is too long stands alone
    assert_non_null(strstr(text.data, "warn  a:\n      000"));
    assert_non_null(strstr(text.data, "\n      do it\nok    b: one two"));
    assert_non_null(strstr(text.data, " thirteen\n      fourteen"));
    buffer_release(&text);
}

int
main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(no_swap_is_well),
        TEST(each_swap_is_told_apart),
        TEST(swap_is_safe_where_every_area_is),
        TEST(a_volume_half_on_a_plain_disk_is_not_encrypted),
        TEST(devices_that_lie_on_themselves_end),
        TEST(hibernation_is_told_where_it_is_set_up),
        TEST(core_files_that_go_to_a_program_are_told),
        TEST(yama_is_read),
        TEST(what_is_missing_is_warned_of),
        TEST(lines_are_at_most_eighty_columns),
    };

    return cmocka_run_group_tests_name("doctor", tests, NULL, NULL);
}
