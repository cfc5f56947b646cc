/* Speeds of models are kept, and a file that others wrote harms nobody. */
#include "config.h"

#include "app/model/model_speed.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static char root[] = "/tmp/fathom-speeds-XXXXXX";
static struct model_speeds speeds, again;

static struct model_speed
measured(const char *name, double tps, uint64_t used_s)
{
    struct model_speed speed = {.bytes = 1000,
                                .runs = 1,
                                .prompt_tps = 10 * tps,
                                .decode_tps = tps,
                                .context = 4096,
                                .used_s = used_s};

    snprintf(speed.name, sizeof speed.name, "%s", name);
    return speed;
}

static void
add(const char *name, double tps, uint64_t used_s)
{
    struct model_speed speed = measured(name, tps, used_s);

    assert_true(model_speeds_add(&speeds, &speed));
}

static void
what_was_written_is_read(void **state)
{
    struct error err;

    (void) state;
    speeds.count = 0;
    assert_int_equal(model_speeds_read(&again, &err), STATUS_OK);
    assert_int_equal(again.count, 0);
    add("a model.gguf", 10, 100);
    add("b.gguf", 3, 50);
    assert_int_equal(model_speeds_write(&speeds, &err), STATUS_OK);
    assert_int_equal(model_speeds_read(&again, &err), STATUS_OK);
    assert_int_equal(again.count, 2);
    const struct model_speed *found =
        model_speeds_find(&again, "a model.gguf", 1000);

    assert_non_null(found);
    assert_true(found->decode_tps == 10 && found->prompt_tps == 100);
    assert_int_equal(found->used_s, 100);
    assert_int_equal(found->context, 4096);
    assert_null(model_speeds_find(&again, "a model.gguf", 1001));
}

static void
means_follow_the_last_runs(void **state)
{
    struct model_speed load = {.bytes = 1000, .load_ms = 5000, .used_s = 7};

    (void) state;
    speeds.count = 0;
    add("m", 10, 1);
    add("m", 20, 2);
    assert_true(speeds.speed[0].decode_tps == 15);
    assert_int_equal(speeds.speed[0].runs, 2);
    for (int i = 0; i < 100; i++)
        add("m", 40, 3);
    assert_true(speeds.speed[0].decode_tps > 39.9);
    strcpy(load.name, "m");
    assert_true(model_speeds_add(&speeds, &load));
    assert_int_equal(speeds.speed[0].runs, 102);
    assert_true(speeds.speed[0].load_ms == 5000);
    assert_int_equal(speeds.speed[0].used_s, 7);
}

static void
the_one_not_used_for_longest_makes_room(void **state)
{
    (void) state;
    speeds.count = 0;
    for (unsigned i = 0; i < SPEEDS_MOST; i++) {
        char name[20];

        snprintf(name, sizeof name, "m%u", i);
        add(name, 1, i == 17 ? 1 : 100 + i);
    }
    add("new", 2, 1000);
    assert_int_equal(speeds.count, SPEEDS_MOST);
    assert_null(model_speeds_find(&speeds, "m17", 1000));
    assert_non_null(model_speeds_find(&speeds, "new", 1000));
}

static void
hostile_names_and_files_are_passed_over(void **state)
{
    struct model_speed speed = measured("a\nb", 1, 1);
    char path[200];
    struct error err;

    (void) state;
    assert_false(model_speeds_add(&speeds, &speed));
    speed = measured("", 1, 1);
    assert_false(model_speeds_add(&speeds, &speed));
    speed = measured("m", 0.0 / 1 - 1, 1);
    assert_false(model_speeds_add(&speeds, &speed));
    snprintf(path, sizeof path, "%s/fathom/speeds", root);
    FILE *file = fopen(path, "w");

    assert_non_null(file);
    fputs("fathom speeds 1\n\n1 2 3\n1 1 nan 1 1 1 1 n\n1 1 -5 1 1 1 1 n\n"
          "1 1 inf 1 1 1 1 n\n7 1 2 3 4 5 6 good\n9 9 9 9 9 9 9 \x1b[2J\n",
          file);
    fclose(file);
    assert_int_equal(model_speeds_read(&again, &err), STATUS_OK);
    assert_int_equal(again.count, 1);
    assert_string_equal(again.speed[0].name, "good");
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("something else\n7 1 2 3 4 5 6 good\n", file);
    fclose(file);
    assert_int_equal(model_speeds_read(&again, &err), STATUS_OK);
    assert_int_equal(again.count, 0);
}

static int
make_root(void **state)
{
    (void) state;
    return mkdtemp(root) == NULL || setenv("XDG_CACHE_HOME", root, 1) != 0;
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
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(means_follow_the_last_runs),
        cmocka_unit_test(the_one_not_used_for_longest_makes_room),
        cmocka_unit_test(hostile_names_and_files_are_passed_over),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_root, remove_root);
}
