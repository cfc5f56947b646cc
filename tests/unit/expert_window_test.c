/* Counts of experts among the last tokens. */
#include "config.h"

#include "app/gauges/expert_window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

enum { LAYERS = 2, EXPERTS = 4 };

static uint32_t uses[LAYERS * EXPERTS];
static uint8_t tier[LAYERS * EXPERTS];

/* `tokens` tokens that all used expert `e` of layer 1. */
static void
add(struct expert_window *w, uint64_t tokens, size_t e)
{
    struct residency event = {.tokens = tokens,
                              .first_layer = 3,
                              .layers = LAYERS,
                              .experts = EXPERTS,
                              .active = 1,
                              .uses = uses,
                              .tier = tier};
    struct error err;

    memset(uses, 0, sizeof uses);
    memset(tier, TIER_RAM, sizeof tier);
    uses[EXPERTS + e] = (uint32_t) tokens;
    assert_int_equal(expert_window_add(w, &event, &err), STATUS_OK);
}

static void
sums_are_of_the_last_tokens(void **state)
{
    struct expert_window w = {0};
    uint64_t summed;

    (void) state;
    assert_null(expert_window_sums(&w, 32, &summed));
    add(&w, 40, 0);
    add(&w, 40, 1);
    add(&w, 40, 2);
    const uint32_t *sums = expert_window_sums(&w, 32, &summed);

    assert_int_equal(summed, 40);
    assert_int_equal(sums[EXPERTS + 2], 40);
    assert_int_equal(sums[EXPERTS + 1], 0);
    sums = expert_window_sums(&w, 41, &summed);
    assert_int_equal(summed, 80);
    assert_int_equal(sums[EXPERTS + 1], 40);
    assert_int_equal(sums[EXPERTS + 0], 0);
    sums = expert_window_sums(&w, 2048, &summed);
    assert_int_equal(summed, 120);
    assert_int_equal(sums[EXPERTS + 0], 40);
    assert_int_equal(w.first_layer, 3);
    expert_window_release(&w);
}

static void
small_events_share_a_piece(void **state)
{
    struct expert_window w = {0};
    uint64_t summed;

    (void) state;
    for (int i = 0; i < 64; i++)
        add(&w, 1, 0);
    assert_int_equal(w.pieces, 2);
    const uint32_t *sums = expert_window_sums(&w, 64, &summed);

    assert_int_equal(summed, 64);
    assert_int_equal(sums[EXPERTS], 64);
    add(&w, 1, 3); // what came since is in the sums
    sums = expert_window_sums(&w, 64, &summed);
    assert_int_equal(sums[EXPERTS + 3], 1);
    expert_window_release(&w);
}

static void
the_ring_forgets_what_is_old(void **state)
{
    struct expert_window w = {0};
    uint64_t summed;

    (void) state;
    add(&w, 32, 0);
    for (int i = 0; i < EXPERT_PIECES; i++)
        add(&w, 32, 1);
    const uint32_t *sums = expert_window_sums(&w, 1000000, &summed);

    assert_int_equal(summed, 32 * EXPERT_PIECES);
    assert_int_equal(sums[EXPERTS], 0);
    assert_int_equal(sums[EXPERTS + 1], 32 * EXPERT_PIECES);
    expert_window_release(&w);
}

static void
a_wiped_window_is_empty_and_goes_on(void **state)
{
    struct expert_window w = {0};
    uint64_t summed;

    (void) state;
    add(&w, 70000, 0); // a piece holds 65535 at most
    assert_int_equal(expert_window_sums(&w, 32, &summed)[EXPERTS], 65535);
    expert_window_wipe(&w);
    for (size_t i = 0; i < (size_t) EXPERT_PIECES * LAYERS * EXPERTS; i++)
        assert_int_equal(w.counts[i], 0);
    assert_int_equal(w.sums[EXPERTS], 0);
    expert_window_sums(&w, 32, &summed);
    assert_int_equal(summed, 0);
    add(&w, 5, 2);
    assert_int_equal(expert_window_sums(&w, 32, &summed)[EXPERTS + 2], 5);
    expert_window_release(&w);
}

static void
another_shape_starts_anew(void **state)
{
    struct expert_window w = {0};
    uint32_t more[61 * 256] = {0};
    struct residency event = {
        .tokens = 8, .layers = 61, .experts = 256, .uses = more};
    struct error err;
    uint64_t summed;

    (void) state;
    add(&w, 40, 0);
    more[60 * 256 + 255] = 8;
    assert_int_equal(expert_window_add(&w, &event, &err), STATUS_OK);
    assert_int_equal(expert_window_sums(&w, 512, &summed)[60 * 256 + 255], 8);
    assert_int_equal(summed, 8);
    event.layers = 0; // a dense model says nothing
    assert_int_equal(expert_window_add(&w, &event, &err), STATUS_OK);
    assert_int_equal(w.layers, 61);
    expert_window_release(&w);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_of_the_last_tokens),
        cmocka_unit_test(small_events_share_a_piece),
        cmocka_unit_test(the_ring_forgets_what_is_old),
        cmocka_unit_test(a_wiped_window_is_empty_and_goes_on),
        cmocka_unit_test(another_shape_starts_anew),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
