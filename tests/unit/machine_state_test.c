/* What the kernel counts is read as it is written, or unknown. */
#include "config.h"

#include "app/gauges/machine_state.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char root[] = "/tmp/fathom-machine-XXXXXX";

static void
put(const char *name, const char *text)
{
    char path[300];

    snprintf(path, sizeof path, "%s/%s", root, name);
    for (char *at = path + strlen(root) + 1; (at = strchr(at, '/')); at++) {
        *at = '\0';
        mkdir(path, 0700);
        *at = '/';
    }
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void
figures_are_read_as_written(void **state)
{
    struct machine_state machine;

    (void) state;
    machine_state_read_under(&machine, 7, root, root);
    assert_true(machine.cpu_us == MACHINE_UNKNOWN);
    assert_true(machine.clock_share == 0);
    assert_true(machine.processors > 0);
    put("pressure/cpu", "some avg10=1.00 avg60=0.1 avg300=0.0 total=123456\n"
                        "full avg10=0.00 avg60=0.0 avg300=0.0 total=99\n");
    put("pressure/memory", "nothing that is known\n");
    put("pressure/io", "some avg10=1.00 avg60=0.1 avg300=0.0 total=\n");
    put("devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", "1500000\n");
    put("devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq", "3000000\n");
    put("devices/system/cpu/cpu1/cpufreq/scaling_cur_freq", "3000000\n");
    put("devices/system/cpu/cpu1/cpufreq/cpuinfo_max_freq", "3000000\n");
    machine_state_read_under(&machine, 7, root, root);
    assert_int_equal(machine.cpu_us, 123456);
    assert_true(machine.memory_us == MACHINE_UNKNOWN);
    assert_true(machine.disk_us == MACHINE_UNKNOWN);
    assert_true(machine.clock_share > 0.749 && machine.clock_share < 0.751);
    assert_int_equal(machine.at_ns, 7);
}

static void
shares_are_of_the_time_between(void **state)
{
    (void) state;
    assert_true(machine_state_share(1000, 501000, 1000000000) == 0.5);
    assert_true(machine_state_share(0, 5000000, 1000000000) == 1);
    assert_true(machine_state_share(MACHINE_UNKNOWN, 5, 10) < 0);
    assert_true(machine_state_share(6, 5, 10) < 0);
    assert_true(machine_state_share(5, 6, 0) < 0);
}

static int
make_root(void **state)
{
    (void) state;
    return mkdtemp(root) == NULL;
}

static int
remove_root(void **state)
{
    char command[100];

    (void) state;
    snprintf(command, sizeof command, "rm -r '%s'", root);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_are_read_as_written),
        cmocka_unit_test(shares_are_of_the_time_between),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
