/* engine/gguf.h: what is written is read; split sets; typed reading. */
#include "config.h"

#include "engine/gguf.h"
#include "tests/unit/model_writer.h"

#include <math.h>
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

#define FILE_NAME "gguf_test.gguf"
#define PREFIX "gguf_test"

static struct error err;

static struct gguf *
save_and_open(struct model_writer *w)
{
    struct gguf *gguf;

    assert_true(writer_save(w, FILE_NAME));
    if (gguf_open(&gguf, FILE_NAME, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return gguf;
}

static void
finish(struct model_writer *w, struct gguf *gguf)
{
    gguf_close(gguf);
    writer_release(w);
    remove(FILE_NAME);
}

/* It is refused, and the sentence holds `word`. */
static void
expect_refusal(struct model_writer *w, enum status status, const char *word)
{
    struct gguf *gguf;

    assert_true(writer_save(w, FILE_NAME));
    assert_int_equal(gguf_open(&gguf, FILE_NAME, &err), status);
    assert_null(gguf);
    if (strstr(err.text, word) == NULL)
        fail_msg("no %s in: %s", word, err.text);
    writer_release(w);
    remove(FILE_NAME);
}

static uint64_t
next_random(uint64_t *state)
{
    uint64_t z = *state += 0x9e3779b97f4a7c15U;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9U;
    z = (z ^ z >> 27) * 0x94d049bb133111ebU;
    return z ^ z >> 31;
}

// -- what is written is read ------------------------------------------------

enum { RANDOM_VALUES = 40, RANDOM_TENSORS = 20, NUMBERS_MAX = 64 };

/* What was written, to compare with. */
struct written {
    char key[RANDOM_VALUES][16];
    enum gguf_type type[RANDOM_VALUES], element[RANDOM_VALUES];
    size_t count[RANDOM_VALUES];
    uint8_t number[RANDOM_VALUES][8 * NUMBERS_MAX];
    char text[NUMBERS_MAX][8];
    struct gguf_string string[NUMBERS_MAX];
    uint64_t extent[RANDOM_TENSORS][4];
    unsigned rank[RANDOM_TENSORS];
    int32_t format[RANDOM_TENSORS];
};

static void
random_value(struct model_writer *w, struct written *t, int i, uint64_t *seed)
{
    static const enum gguf_type types[] = {
        GGUF_U8,  GGUF_I8,  GGUF_U16, GGUF_I16, GGUF_U32,   GGUF_I32,
        GGUF_F32, GGUF_U64, GGUF_I64, GGUF_F64, GGUF_STRING};
    enum gguf_type type = types[next_random(seed) % 11];
    bool array = next_random(seed) % 2 == 0;

    snprintf(t->key[i], sizeof t->key[i], "key.%d", i);
    t->type[i] = array ? GGUF_ARRAY : type;
    t->element[i] = type;
    t->count[i] = array ? next_random(seed) % NUMBERS_MAX : 1;
    for (size_t b = 0; b < sizeof t->number[i]; b++)
        t->number[i][b] = (uint8_t) next_random(seed);
    if (array && type == GGUF_STRING)
        writer_array(w, t->key[i], type, t->count[i], t->string);
    else if (array)
        writer_array(w, t->key[i], type, t->count[i], t->number[i]);
    else if (type == GGUF_STRING)
        writer_text(w, t->key[i], t->string[0].bytes);
    else
        writer_number(w, t->key[i], type, t->number[i]);
}

static void
random_tensor(struct model_writer *w, struct written *t, int i, uint64_t *seed)
{
    static const int32_t formats[] = {FORMAT_F32, FORMAT_F16, FORMAT_Q8_0,
                                      FORMAT_Q4_K, FORMAT_I8};
    char name[16];

    snprintf(name, sizeof name, "t.%d", i);
    t->format[i] = formats[next_random(seed) % 5];
    t->rank[i] = 1 + (unsigned) (next_random(seed) % 4);
    for (unsigned d = 0; d < t->rank[i]; d++)
        t->extent[i][d] = 1 + next_random(seed) % 3;
    t->extent[i][0] *= format_find(t->format[i])->block_elems;
    writer_tensor(w, name, t->format[i], t->extent[i], NULL);
}

static void
compare_value(const struct gguf *gguf, const struct written *t, int i)
{
    const struct gguf_value *value = gguf_find(gguf, t->key[i]);

    assert_non_null(value);
    assert_int_equal(value->type, t->type[i]);
    assert_int_equal(value->count, t->count[i]);
    if (t->type[i] == GGUF_ARRAY)
        assert_int_equal(value->element, t->element[i]);
    if (t->element[i] != GGUF_STRING) {
        size_t bytes = writer_number_bytes(t->element[i]);

        assert_int_equal((uintptr_t) value->data % bytes, 0);
        assert_memory_equal(value->data, t->number[i], t->count[i] * bytes);
        return;
    }
    const struct gguf_string *string = value->data;
    for (size_t s = 0; s < value->count; s++) {
        assert_int_equal(string[s].length, t->string[s].length);
        assert_string_equal(string[s].bytes, t->string[s].bytes);
    }
}

static void
compare_tensor(const struct gguf *gguf, const struct written *t, int i,
               uint64_t alignment)
{
    char name[16];

    snprintf(name, sizeof name, "t.%d", i);
    const struct gguf_tensor *tensor = gguf_tensor_find(gguf, name);
    assert_non_null(tensor);
    assert_ptr_equal(tensor, gguf_tensor_at(gguf, (size_t) i));
    assert_int_equal(tensor->format->id, t->format[i]);
    assert_int_equal(tensor->rank, t->rank[i]);
    assert_int_equal(tensor->offset_bytes % alignment, 0);
    for (unsigned d = 0; d < 4; d++)
        assert_int_equal(tensor->extent[d],
                         d < t->rank[i] ? t->extent[i][d] : 1);
}

static void
what_is_written_is_read(void **state)
{
    static const uint64_t alignments[] = {32, 1, 4, 64, 65536};
    static struct written t;

    (void) state;
    for (uint64_t seed = 1; seed <= 50; seed++) {
        uint64_t random = seed, alignment = alignments[seed % 5];
        struct model_writer w;

        memset(&t, 0, sizeof t);
        for (int i = 0; i < NUMBERS_MAX; i++) {
            snprintf(t.text[i], sizeof t.text[i], "%.*s", i % 7, "abcdefg");
            t.string[i] = (struct gguf_string){t.text[i], strlen(t.text[i])};
        }
        writer_init(&w, alignment);
        for (int i = 0; i < RANDOM_VALUES; i++)
            random_value(&w, &t, i, &random);
        for (int i = 0; i < RANDOM_TENSORS; i++)
            random_tensor(&w, &t, i, &random);
        struct gguf *gguf = save_and_open(&w);
        for (int i = 0; i < RANDOM_VALUES; i++)
            compare_value(gguf, &t, i);
        for (int i = 0; i < RANDOM_TENSORS; i++)
            compare_tensor(gguf, &t, i, alignment);
        assert_int_equal(gguf_tensors(gguf), RANDOM_TENSORS);
        assert_null(gguf_find(gguf, "key"));
        assert_null(gguf_tensor_find(gguf, "t."));
        finish(&w, gguf);
    }
}

static void
a_file_may_hold_nothing(void **state)
{
    struct model_writer w;

    (void) state;
    writer_init(&w, 32);
    struct gguf *gguf = save_and_open(&w);
    assert_int_equal(gguf_values(gguf), 0);
    assert_int_equal(gguf_tensors(gguf), 0);
    assert_null(gguf_find(gguf, "general.name"));
    assert_null(gguf_tensor_find(gguf, "output.weight"));
    assert_int_equal(gguf_shards(gguf), 1);
    finish(&w, gguf);
}

/* A long list of strings crosses the reader's window many times. */
static void
long_arrays_are_read_whole(void **state)
{
    enum { COUNT = 100000 };
    struct gguf_string *string = calloc(COUNT, sizeof *string);
    struct model_writer w;
    char *texts = malloc(COUNT * 8);

    (void) state;
    for (int i = 0; i < COUNT; i++) {
        string[i].bytes = texts + 8 * i;
        string[i].length = (size_t) snprintf(texts + 8 * i, 8, "%d", i);
    }
    writer_init(&w, 32);
    writer_array(&w, "tokens", GGUF_STRING, COUNT, string);
    writer_u32(&w, "after", 7);
    struct gguf *gguf = save_and_open(&w);
    const struct gguf_string *read = gguf_find(gguf, "tokens")->data;
    for (int i = 0; i < COUNT; i++)
        assert_string_equal(read[i].bytes, string[i].bytes);
    assert_int_equal(*(const uint32_t *) gguf_find(gguf, "after")->data, 7);
    finish(&w, gguf);
    free(string);
    free(texts);
}

// -- typed reading ----------------------------------------------------------

static void
any_integer_type_is_accepted_in_range(void **state)
{
    const uint8_t u8 = 200;
    const int8_t i8 = 100, minus = -1;
    const int16_t i16 = 100;
    const int32_t i32 = 100;
    const int64_t i64 = 100, low = INT64_MIN;
    const uint64_t u64 = UINT64_MAX;
    struct model_writer w;
    uint64_t out;

    (void) state;
    writer_init(&w, 32);
    writer_number(&w, "u8", GGUF_U8, &u8);
    writer_number(&w, "i8", GGUF_I8, &i8);
    writer_number(&w, "minus", GGUF_I8, &minus);
    writer_number(&w, "i16", GGUF_I16, &i16);
    writer_number(&w, "i32", GGUF_I32, &i32);
    writer_number(&w, "i64", GGUF_I64, &i64);
    writer_number(&w, "low", GGUF_I64, &low);
    writer_number(&w, "u64", GGUF_U64, &u64);
    writer_u16(&w, "u16", 100);
    writer_u32(&w, "u32", 100);
    writer_f32(&w, "f32", 100);
    struct gguf *g = save_and_open(&w);
    assert_int_equal(gguf_uint_in(g, "u8", 0, 255, &out, NULL, &err),
                     STATUS_OK);
    assert_int_equal(out, 200);
    static const char *const same[] = {"i8", "i16", "u16", "i32", "u32", "i64"};
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        assert_int_equal(gguf_uint_in(g, same[i], 100, 100, &out, NULL, &err),
                         STATUS_OK);
        assert_int_equal(out, 100);
        assert_int_equal(gguf_uint_in(g, same[i], 0, 99, &out, NULL, &err),
                         STATUS_FORMAT);
        assert_int_equal(gguf_uint_in(g, same[i], 101, 200, &out, NULL, &err),
                         STATUS_FORMAT);
    }
    assert_int_equal(gguf_uint_in(g, "u64", 0, UINT64_MAX, &out, NULL, &err),
                     STATUS_OK);
    assert_true(out == UINT64_MAX);
    assert_int_equal(gguf_uint_in(g, "minus", 0, 9, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text, FILE_NAME ": minus is -1; 0 to 9 is allowed");
    assert_int_equal(gguf_uint_in(g, "low", 0, UINT64_MAX, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_non_null(strstr(err.text, "-9223372036854775808"));
    assert_int_equal(gguf_uint_in(g, "f32", 0, 999, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text,
                        FILE_NAME ": f32 is of type f32, an integer wanted");
    finish(&w, g);
}

static void
absent_keys_are_said_or_left(void **state)
{
    struct model_writer w;
    uint64_t out = 42;
    double number = 1.5;
    bool found = true, flag = true;

    (void) state;
    writer_init(&w, 32);
    struct gguf *g = save_and_open(&w);
    assert_int_equal(gguf_uint_in(g, "no", 0, 9, &out, &found, &err),
                     STATUS_OK);
    assert_false(found);
    assert_int_equal(out, 42);
    assert_int_equal(gguf_uint_in(g, "no", 0, 9, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_string_equal(err.text, FILE_NAME ": no is missing");
    assert_int_equal(gguf_float_in(g, "no", 0, 9, &number, &found, &err),
                     STATUS_OK);
    assert_true(number == 1.5);
    assert_int_equal(gguf_bool(g, "no", &flag, &found, &err), STATUS_OK);
    assert_true(flag);
    assert_null(gguf_text(g, "no"));
    finish(&w, g);
}

static void
floats_are_read_from_both_widths_and_must_be_in_range(void **state)
{
    const double f64 = 0.1;
    struct model_writer w;
    double out;
    bool flag;

    (void) state;
    writer_init(&w, 32);
    writer_number(&w, "f64", GGUF_F64, &f64);
    writer_f32(&w, "f32", 0.5F);
    writer_f32(&w, "nan", NAN);
    writer_f32(&w, "inf", INFINITY);
    writer_bool(&w, "flag", true);
    writer_u32(&w, "u32", 1);
    struct gguf *g = save_and_open(&w);
    assert_int_equal(gguf_float_in(g, "f64", 0, 1, &out, NULL, &err),
                     STATUS_OK);
    assert_true(out == 0.1);
    assert_int_equal(gguf_float_in(g, "f32", 0.5, 0.5, &out, NULL, &err),
                     STATUS_OK);
    assert_true(out == 0.5);
    assert_int_equal(gguf_float_in(g, "nan", -1e300, 1e300, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_int_equal(gguf_float_in(g, "inf", -1e300, 1e300, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_int_equal(gguf_float_in(g, "u32", 0, 2, &out, NULL, &err),
                     STATUS_FORMAT);
    assert_int_equal(gguf_bool(g, "flag", &flag, NULL, &err), STATUS_OK);
    assert_true(flag);
    assert_int_equal(gguf_bool(g, "u32", &flag, NULL, &err), STATUS_FORMAT);
    assert_null(gguf_text(g, "u32"));
    finish(&w, g);
}

// -- refusals that shared files of hostile_test do not have -----------------

static void
an_alignment_may_be_any_integer_but_must_fit_the_layout(void **state)
{
    const uint64_t extent[4] = {3};
    const int32_t number = 64, minus = -32;
    struct model_writer w;

    (void) state;
    writer_init(&w, 32);
    w.alignment = 64;
    writer_number(&w, "general.alignment", GGUF_I32, &number);
    writer_tensor(&w, "a", FORMAT_F32, extent, NULL);
    writer_tensor(&w, "b", FORMAT_F32, extent, NULL);
    struct gguf *gguf = save_and_open(&w);
    assert_int_equal(gguf_tensor_find(gguf, "b")->offset_bytes % 64, 0);
    finish(&w, gguf);

    writer_init(&w, 32);
    w.alignment = 64; // laid out for 64, said nothing
    writer_tensor(&w, "a", FORMAT_F32, extent, NULL);
    writer_tensor(&w, "b", FORMAT_F32, extent, NULL);
    expect_refusal(&w, STATUS_FORMAT, "offset 64, 32 wanted");

    writer_init(&w, 32);
    writer_number(&w, "general.alignment", GGUF_I32, &minus);
    expect_refusal(&w, STATUS_FORMAT, "general.alignment is -32");
}

/* Names and texts at their limits, and one byte beyond. */
static void
lengths_have_limits(void **state)
{
    static char long_key[(64 << 10) + 2]; // ends in 0
    char name[65];
    const uint64_t extent[4] = {1};
    struct model_writer w;

    (void) state;
    memset(name, 'n', sizeof name);
    name[63] = '\0';
    memset(long_key, 'k', sizeof long_key - 1);
    long_key[64 << 10] = '\0';
    writer_init(&w, 32);
    writer_tensor(&w, name, FORMAT_F32, extent, NULL);
    writer_u32(&w, long_key, 1);
    struct gguf *gguf = save_and_open(&w);
    assert_non_null(gguf_tensor_find(gguf, name));
    assert_non_null(gguf_find(gguf, long_key));
    finish(&w, gguf);

    long_key[64 << 10] = 'k';
    writer_init(&w, 32);
    writer_u32(&w, long_key, 1);
    expect_refusal(&w, STATUS_FORMAT, "65537 bytes, 65536 allowed");
    const struct gguf_string string = {long_key, (64 << 10) + 1};
    writer_init(&w, 32);
    writer_array(&w, "tokens", GGUF_STRING, 1, &string);
    expect_refusal(&w, STATUS_FORMAT, "element 1 of 65537 bytes");
}

/* Every integer of the two counts near its ends, in a file that is sound. */
static void
counts_near_the_ends_are_refused(void **state)
{
    static const uint64_t counts[] = {1,
                                      4097,
                                      (uint64_t) 1 << 32,
                                      (uint64_t) 1 << 58,
                                      INT64_MAX,
                                      UINT64_MAX,
                                      (uint64_t) 1 << 63,
                                      UINT64_MAX / 24,
                                      UINT64_MAX / 24 + 1};

    (void) state;
    for (size_t i = 0; i < 2 * sizeof counts / sizeof *counts; i++) {
        struct model_writer w;

        writer_init(&w, 32);
        if (i % 2 == 0)
            w.tensor_count = counts[i / 2];
        else
            w.value_count = counts[i / 2];
        expect_refusal(&w, STATUS_FORMAT, FILE_NAME);
    }
}

/* Extents whose products wrap, in elements or in bytes. */
static void
sizes_that_wrap_are_refused(void **state)
{
    static const struct {
        int32_t format;
        uint64_t extent[4];
    } cases[] = {
        {FORMAT_F32, {((uint64_t) 1 << 42) + 1}},
        {FORMAT_F32, {(uint64_t) 1 << 40, (uint64_t) 1 << 22}},
        {FORMAT_F32, {(uint64_t) 1 << 31, (uint64_t) 1 << 31}},
        {FORMAT_F64, {(uint64_t) 1 << 40, (uint64_t) 1 << 20, 2}},
        {FORMAT_Q4_K, {256, (uint64_t) 1 << 40, (uint64_t) 1 << 16}},
        {FORMAT_Q8_0,
         {32, (uint64_t) 1 << 20, (uint64_t) 1 << 20, (uint64_t) 1 << 19}},
    };

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct model_writer w;

        writer_init(&w, 32);
        writer_tensor(&w, "huge", cases[i].format, cases[i].extent, NULL);
        w.offset = 0; // no data: the table alone must be refused
        expect_refusal(&w, STATUS_FORMAT, "huge");
    }
}

// -- split sets -------------------------------------------------------------

static uint8_t *
read_tensor(const struct gguf *gguf, const struct gguf_tensor *tensor)
{
    FILE *file = fopen(gguf_shard_path(gguf, tensor->shard), "rb");
    uint8_t *bytes = malloc(tensor->bytes);

    assert_non_null(file);
    assert_int_equal(fseek(file, (long) tensor->offset_bytes, SEEK_SET), 0);
    assert_int_equal(fread(bytes, 1, tensor->bytes, file), tensor->bytes);
    fclose(file);
    return bytes;
}

static void
compare_files(const struct gguf *whole, const struct gguf *split)
{
    assert_int_equal(gguf_tensors(split), gguf_tensors(whole));
    for (size_t i = 0; i < gguf_values(whole); i++)
        assert_non_null(gguf_find(split, gguf_value_at(whole, i)->key));
    for (size_t i = 0; i < gguf_tensors(whole); i++) {
        const struct gguf_tensor *a = gguf_tensor_at(whole, i);
        const struct gguf_tensor *b = gguf_tensor_find(split, a->name);

        assert_non_null(b);
        assert_int_equal(b->bytes, a->bytes);
        uint8_t *x = read_tensor(whole, a), *y = read_tensor(split, b);
        assert_memory_equal(x, y, a->bytes);
        free(x);
        free(y);
    }
}

static void
remove_shards(unsigned shards)
{
    char path[256];

    for (unsigned i = 0; i < shards; i++) {
        writer_shard_path(path, sizeof path, PREFIX, i, shards);
        remove(path);
    }
}

static struct gguf *
open_hostile(const char *name)
{
    const char *build = getenv("top_builddir");
    char path[4096];
    struct gguf *gguf;

    snprintf(path, sizeof path, "%s/tests/data/hostile/files/%s",
             build != NULL ? build : ".", name);
    if (gguf_open(&gguf, path, &err) != STATUS_OK)
        fail_msg("%s", err.text);
    return gguf;
}

static void
a_split_set_holds_the_same(void **state)
{
    static const struct {
        unsigned shards;
        bool empty_first;
    } cases[] = {{2, false}, {3, true}, {7, false}, {21, false}, {30, true}};
    struct gguf *whole = open_hostile("valid-model.gguf");

    (void) state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        unsigned shards = cases[i].shards;
        char path[256];
        struct gguf *split;
        uint64_t bytes = 0;

        writer_split(whole, PREFIX, shards, cases[i].empty_first);
        writer_shard_path(path, sizeof path, PREFIX, 0, shards);
        if (gguf_open(&split, path, &err) != STATUS_OK)
            fail_msg("%s", err.text);
        assert_int_equal(gguf_shards(split), shards);
        compare_files(whole, split);
        for (unsigned s = 0; s < shards; s++)
            bytes += gguf_shard_bytes(split, s);
        assert_int_equal(gguf_file_bytes(split), bytes);
        gguf_close(split);
        remove_shards(shards);
    }
    gguf_close(whole);
}

/* Opens the set under another first file's name; the sentence holds `word`. */
static void
expect_split_refusal(const char *path, const char *word)
{
    struct gguf *gguf;

    assert_int_equal(gguf_open(&gguf, path, &err), STATUS_FORMAT);
    if (strstr(err.text, word) == NULL)
        fail_msg("no %s in: %s", word, err.text);
}

static void
a_damaged_split_set_is_refused(void **state)
{
    struct gguf *whole = open_hostile("valid-model.gguf");
    char first[256], second[256], third[256];
    struct stat status;

    (void) state;
    writer_split(whole, PREFIX, 3, false);
    gguf_close(whole);
    writer_shard_path(first, sizeof first, PREFIX, 0, 3);
    writer_shard_path(second, sizeof second, PREFIX, 1, 3);
    writer_shard_path(third, sizeof third, PREFIX, 2, 3);
    expect_split_refusal(third, "shard 3 of 3: open the first one, " PREFIX
                                "-00001-of-00003.gguf");
    // the other two change places
    assert_int_equal(rename(third, "gguf_test.swap"), 0);
    assert_int_equal(rename(second, third), 0);
    assert_int_equal(rename("gguf_test.swap", second), 0);
    expect_split_refusal(first, "split.no 2 and split.count 3, 1 and 3 wanted");
    assert_int_equal(rename(second, "gguf_test.swap"), 0);
    assert_int_equal(rename(third, second), 0);
    expect_split_refusal(first, PREFIX "-00003-of-00003.gguf is missing");
    assert_int_equal(rename("gguf_test.swap", third), 0);
    assert_int_equal(stat(third, &status), 0);
    assert_int_equal(truncate(third, status.st_size / 2), 0);
    expect_split_refusal(first, PREFIX "-00003-of-00003.gguf: ");
    assert_non_null(strstr(err.text, "incomplete"));
    remove_shards(3);
}

static void
the_total_of_a_split_set_must_agree(void **state)
{
    const uint64_t extent[4] = {8};
    struct model_writer w;
    char path[256];

    (void) state;
    for (unsigned i = 0; i < 2; i++) {
        int32_t total = 3;

        writer_init(&w, 32);
        writer_u16(&w, "split.no", (uint16_t) i);
        writer_u16(&w, "split.count", 2);
        writer_number(&w, "split.tensors.count", GGUF_I32, &total);
        writer_tensor(&w, i == 0 ? "a" : "b", FORMAT_F32, extent, NULL);
        writer_shard_path(path, sizeof path, PREFIX, i, 2);
        writer_save(&w, path);
        writer_release(&w);
    }
    writer_shard_path(path, sizeof path, PREFIX, 0, 2);
    expect_split_refusal(path,
                         "split.tensors.count 3, but the 2 shards hold 2");
    remove_shards(2);
}

// -- faults -----------------------------------------------------------------

/* Each allocation and read fails once; the leak checker sees the rest. */
static void
every_failure_is_clean(void **state)
{
    struct gguf *whole = open_hostile("valid-model.gguf"), *gguf;
    char path[256];
    unsigned long n = 1;

    (void) state;
    writer_split(whole, PREFIX, 3, true);
    gguf_close(whole);
    writer_shard_path(path, sizeof path, PREFIX, 0, 3);
    for (;; n++) {
        fault_arm(n);
        enum status status = gguf_open(&gguf, path, &err);
        if (status == STATUS_OK)
            break;
        assert_true(status == STATUS_NOMEM || status == STATUS_IO);
        assert_null(gguf);
    }
    fault_arm(0);
    assert_true(n > 10);
    gguf_close(gguf);
    remove_shards(3);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_file_may_hold_nothing),
        cmocka_unit_test(long_arrays_are_read_whole),
        cmocka_unit_test(any_integer_type_is_accepted_in_range),
        cmocka_unit_test(absent_keys_are_said_or_left),
        cmocka_unit_test(floats_are_read_from_both_widths_and_must_be_in_range),
        cmocka_unit_test(
            an_alignment_may_be_any_integer_but_must_fit_the_layout),
        cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(counts_near_the_ends_are_refused),
        cmocka_unit_test(sizes_that_wrap_are_refused),
        cmocka_unit_test(a_split_set_holds_the_same),
        cmocka_unit_test(a_damaged_split_set_is_refused),
        cmocka_unit_test(the_total_of_a_split_set_must_agree),
        cmocka_unit_test(every_failure_is_clean),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
