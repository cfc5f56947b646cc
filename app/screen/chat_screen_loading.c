/* The loading screen shows what the gauges have seen of it. */
#include "config.h"

#include "app/screen/chat_screen.h"
#include "app/gauges/gauges.h"
#include "app/model/model_gate.h"
#include "app/progress_text.h"
#include "app/settings.h"
#include "app/time_text.h"

#include <stdio.h>
#include <string.h>

#define SHOWN_AFTER_NS UINT64_C(300000000) // small models never flash

enum { STEPS = 5, PLAN_LINES = 3, CLOCK_BYTES = 12 };

static struct {
    struct chat *chat;
    struct view_loading view;
    struct loading_step steps[STEPS];
    struct loading_line plan[PLAN_LINES];
    char plan_text[PLAN_LINES][GAUGE_TEXT];
    struct loading_line log[GAUGE_LOG];
    char clocks[GAUGE_LOG][CLOCK_BYTES];
    struct loading_sheet sheet;
    char queued[GAUGE_TEXT];
    uint64_t left_ns; // the load that the user did not want to watch
    char right[60];
} screen_loading;

bool
chat_screen_loading_wanted(const struct chat *chat, uint64_t now_ns)
{
    const struct gauge_load *load = &gauges_now()->load;

    return chat->client != NULL && !chat->opened && load->ended_ns == 0 &&
           load->begun_ns != 0 && screen_loading.left_ns != load->begun_ns &&
           now_ns >= load->begun_ns + SHOWN_AFTER_NS;
}

static struct loading_step *
next_step(const char *name)
{
    struct loading_step *step =
        &screen_loading.steps[screen_loading.sheet.step_count++];

    *step = (struct loading_step){.name = name, .elapsed_s = -1, .left_s = -1};
    return step;
}

static void
add_signature(void)
{
    const struct model_voucher *voucher = model_gate_voucher();
    struct loading_step *step = next_step("signature");

    step->state = LOADING_DONE;
    if (!voucher->checked) {
        step->state = LOADING_SKIPPED;
        snprintf(step->what, sizeof step->what, "model.verify = %s",
                 settings_verify_word(settings_verify()));
    } else if (voucher->signer[0] != '\0') {
        snprintf(step->what, sizeof step->what, "MANIFEST ok, signed by %s",
                 voucher->signer);
    } else {
        snprintf(step->what, sizeof step->what,
                 "MANIFEST ok, signed by nobody");
    }
}

static void
add_verify(void)
{
    struct loading_step *step = next_step("verify");

    if (!model_gate_voucher()->checked) {
        step->state = LOADING_SKIPPED;
        return;
    }
    step->state = LOADING_DONE;
    snprintf(step->what, sizeof step->what, "%s",
             settings_verify() == VERIFY_FULL
                 ? "every byte, just now"
                 : "files are as when they were last read in full");
}

static double
seconds_between(uint64_t from_ns, uint64_t to_ns)
{
    return to_ns > from_ns ? (double) (to_ns - from_ns) / 1e9 : 0;
}

static void
add_queue(const struct gauge_load *load)
{
    if (!load->queued)
        return;
    struct loading_step *step = next_step("queue");

    step->state = LOADING_RUNS;
    snprintf(step->what, sizeof step->what, "%llu request%s ahead",
             (unsigned long long) load->ahead, load->ahead == 1 ? "" : "s");
}

static void
add_tokenizer(const struct gauge_load *load, uint64_t now_ns)
{
    struct loading_step *step = next_step("tokenizer");
    bool ended = load->tokenizer == GAUGE_ENDED;

    if (load->tokenizer == GAUGE_WAITS)
        return;
    step->state = ended ? LOADING_DONE : LOADING_RUNS;
    snprintf(step->what, sizeof step->what, "%s",
             ended ? "ready" : "beside the reading");
    step->elapsed_s = seconds_between(
        load->tokenizer_begun_ns, ended ? load->tokenizer_ended_ns : now_ns);
}

/* How much of "20.8 GB" is said before "33.5 GB", which has the unit. */
static int
number_length(const char *done, const char *of)
{
    const char *unit = strchr(done, ' '), *whole = strchr(of, ' ');

    return unit && whole && strcmp(unit, whole) == 0 ? (int) (unit - done) : 9;
}

/* "20.8 / 33.5 GB", "6.9 GB/s" */
static void
fill_rate(struct loading_step *step, const struct gauge_load *load)
{
    char done[BYTES_TEXT], of[BYTES_TEXT];
    double read = load->read_done > load->read_first
                      ? (double) (load->read_done - load->read_first)
                      : 0;
    double rate = step->elapsed_s > 0.05 ? read / step->elapsed_s : 0;

    progress_bytes(of, (double) load->read_of);
    if (load->read == GAUGE_ENDED)
        snprintf(step->size, sizeof step->size, "%.20s", of);
    else
        snprintf(
            step->size, sizeof step->size, "%.*s / %.9s",
            number_length(progress_bytes(done, (double) load->read_done), of),
            done, of);
    if (rate >= 1)
        snprintf(step->rate, sizeof step->rate, "%.16s/s",
                 progress_bytes(done, rate));
    if (rate >= 1 && load->read == GAUGE_RUNS &&
        load->read_done <= load->read_of)
        step->left_s = (double) (load->read_of - load->read_done) / rate;
}

static void
add_read(const struct gauge_load *load, uint64_t now_ns)
{
    struct loading_step *step = next_step("read");
    bool ended = load->read == GAUGE_ENDED;

    if (load->read == GAUGE_WAITS || load->read_of == 0)
        return;
    step->state = ended ? LOADING_DONE : LOADING_RUNS;
    step->measured = true;
    step->share = (double) load->read_done / (double) load->read_of;
    step->elapsed_s = seconds_between(load->read_begun_ns,
                                      ended ? load->read_ended_ns : now_ns);
    fill_rate(step, load);
    if (step->left_s >= 0)
        snprintf(step->what, sizeof step->what, "weights into RAM, eta %.1f s",
                 step->left_s);
    // all bytes are nearly all of the time
    screen_loading.sheet.share = step->share;
    screen_loading.sheet.left_s = step->left_s;
}

static void
add_plan(const struct gauge_load *load)
{
    const struct engine_plan *plan = &load->plan;
    char weights[BYTES_TEXT], cache[BYTES_TEXT], scratch[BYTES_TEXT],
        all[BYTES_TEXT], available[BYTES_TEXT];

    if (!load->planned)
        return;
    static const char *const labels[PLAN_LINES] = {"RAM", "of that", "device"};

    snprintf(
        screen_loading.plan_text[0], GAUGE_TEXT, "%s of the %s that are free",
        progress_bytes(all, (double) (plan->weights_bytes + plan->cache_bytes +
                                      plan->scratch_bytes)),
        progress_bytes(available, (double) plan->available_bytes));
    snprintf(screen_loading.plan_text[1], GAUGE_TEXT,
             "weights %s, cache %s, scratch %s",
             progress_bytes(weights, (double) plan->weights_bytes),
             progress_bytes(cache, (double) plan->cache_bytes),
             progress_bytes(scratch, (double) plan->scratch_bytes));
    snprintf(screen_loading.plan_text[2], GAUGE_TEXT,
             "%s, %s, %u thread%s, cache %s for %llu tokens", load->device,
             load->level, plan->threads, plan->threads == 1 ? "" : "s",
             load->cache, (unsigned long long) plan->context);
    for (size_t i = 0; i < PLAN_LINES; i++)
        screen_loading.plan[i] =
            (struct loading_line){labels[i], screen_loading.plan_text[i]};
    screen_loading.sheet.plan_count = PLAN_LINES;
}

static void
add_log(const struct gauge_load *load)
{
    for (size_t i = 0; i < load->logged; i++) {
        char text[TIME_TEXT];
        const char *wall = time_text_local(text, load->log[i].wall_ms);
        size_t length = strlen(wall);

        snprintf(screen_loading.clocks[i], CLOCK_BYTES, "%s:%02u",
                 length >= 5 ? wall + length - 5 : "",
                 (unsigned) (load->log[i].wall_ms / 1000 % 60));
        screen_loading.log[i] =
            (struct loading_line){screen_loading.clocks[i], load->log[i].text};
    }
    screen_loading.sheet.log_count = load->logged;
}

/* The question that waits for the model, or the first line behind it. */
static const struct buffer *
waiting_text(const struct chat *chat)
{
    const struct conversation *c = &chat->conversation;

    if (chat->answering != TURN_NONE)
        return &c->turns[c->turns[chat->answering].parent].content;
    return chat->queued > 0 ? &chat->queue[0].text : NULL;
}

/* What was typed already, on one line. */
static void
add_queued(const struct chat *chat)
{
    const struct buffer *text = waiting_text(chat);

    if (text == NULL || text->length == 0)
        return;
    text_quote(screen_loading.queued, sizeof screen_loading.queued, text->data,
               text->length);
    screen_loading.sheet.queued = screen_loading.queued;
}

static const struct loading_sheet *
lend_sheet(void *context, uint64_t now_ns)
{
    const struct gauge_load *load = &gauges_now()->load;
    const struct chat *chat = screen_loading.chat;
    const char *slash = strrchr(chat->path, '/');
    static char model[MODEL_NAME_BYTES];
    const char *name = slash ? slash + 1 : chat->path;

    (void) context;
    snprintf(screen_loading.right, sizeof screen_loading.right,
             "net:off  vault:%s",
             chat_screen.state.vault ? chat_screen.state.vault : "eph");
    screen_loading.sheet = (struct loading_sheet){
        .model = text_quote(model, sizeof model, name, strlen(name)),
        .right = screen_loading.right,
        .steps = screen_loading.steps,
        .share = -1,
        .left_s = -1,
        .elapsed_s = seconds_between(load->begun_ns, now_ns),
        .plan = screen_loading.plan,
        .log = screen_loading.log,
        .remark = "Chat is usable when all of it is read.",
    };
    add_signature();
    add_verify();
    add_queue(load);
    add_tokenizer(load, now_ns);
    add_read(load, now_ns);
    add_plan(load);
    add_log(load);
    add_queued(chat);
    return &screen_loading.sheet;
}

enum status
chat_screen_loading_open(struct chat *chat, view_post_fn *post, void *context,
                         struct view *out, struct error *err)
{
    static const struct loading_source source = {NULL, lend_sheet};

    (void) err;
    screen_loading.chat = chat;
    view_loading_start(&screen_loading.view, &source, post, context, out);
    return STATUS_OK;
}

void
chat_screen_loading_close(struct view *view)
{
    uint64_t left_ns = gauges_now()->load.begun_ns;

    explicit_bzero(&screen_loading, sizeof screen_loading);
    screen_loading.left_ns = left_ns;
    *view = (struct view){0};
}
