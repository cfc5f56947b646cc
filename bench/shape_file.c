/*
 * Writes a deepseek2 file of V2-Lite's shape with random weights, for speed
 * measurements: the sizes and formats of a real file, the text of none.
 *
 *   shape_file OUT.gguf VOCABULARY.gguf [--layers N] [--mix Q4_K_M|Q4_0|Q8_0]
 *
 * The tokenizer is copied from a deepseek-llm vocabulary file, so that other
 * engines can read the result as well. Widths that are no multiple of 256 take
 * the formats that published files have there (doc/gguf.md 7.2).
 */
#include "config.h"

#include "engine/engine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    HIDDEN = 2048,
    HEADS = 16,
    NOPE = 128,
    ROPE = 64,
    VALUE = 128,
    LATENT = 512,
    DENSE = 10944,
    EXPERT = 1408,
    EXPERTS = 64,
    USED = 6,
    SHARED = 2,
    VOCABULARY = 102400,
    ALIGNMENT = 32,
};

struct writer {
    FILE *file;
    struct buffer values; // the metadata section
    struct buffer infos;  // the tensor table
    uint64_t value_count, tensor_count, offset;
    uint64_t random;
    struct {
        const struct format *format;
        uint64_t row, rows;
    } tensor[1024];
};

static struct error failure;

static void
must(enum status status)
{
    if (status != STATUS_OK) {
        fprintf(stderr, "shape_file: %s\n", failure.text);
        exit(1);
    }
}

static void
put(struct buffer *out, const void *bytes, size_t length)
{
    must(buffer_append(out, bytes, length, &failure));
}

static void
put_u32(struct buffer *out, uint32_t value)
{
    put(out, &value, sizeof value);
}

static void
put_u64(struct buffer *out, uint64_t value)
{
    put(out, &value, sizeof value);
}

static void
put_text(struct buffer *out, const char *text)
{
    put_u64(out, strlen(text));
    put(out, text, strlen(text));
}

static void
key(struct writer *w, const char *name, enum gguf_type type)
{
    put_text(&w->values, name);
    put_u32(&w->values, (uint32_t) type);
    w->value_count++;
}

static void
value_u32(struct writer *w, const char *name, uint32_t value)
{
    key(w, name, GGUF_U32);
    put_u32(&w->values, value);
}

static void
value_f32(struct writer *w, const char *name, float value)
{
    key(w, name, GGUF_F32);
    put(&w->values, &value, sizeof value);
}

static void
value_text(struct writer *w, const char *name, const char *value)
{
    key(w, name, GGUF_STRING);
    put_text(&w->values, value);
}

/* Bytes of one number of this type in a file. */
static size_t
number_bytes(enum gguf_type type)
{
    static const uint8_t bytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

    return bytes[type];
}

static void
copy_elements(struct writer *w, const struct gguf_value *value,
              enum gguf_type type)
{
    if (type != GGUF_STRING) {
        put(&w->values, value->data, value->count * number_bytes(type));
        return;
    }
    const struct gguf_string *string = value->data;

    for (size_t i = 0; i < value->count; i++) {
        put_u64(&w->values, string[i].length);
        put(&w->values, string[i].bytes, string[i].length);
    }
}

static void
copy_tokenizer(struct writer *w, const char *path)
{
    struct gguf *vocabulary;

    must(gguf_open(&vocabulary, path, &failure));
    for (size_t i = 0; i < gguf_values(vocabulary); i++) {
        const struct gguf_value *value = gguf_value_at(vocabulary, i);

        if (strncmp(value->key, "tokenizer.", strlen("tokenizer.")) != 0)
            continue;
        key(w, value->key, value->type);
        if (value->type == GGUF_ARRAY) {
            put_u32(&w->values, (uint32_t) value->element);
            put_u64(&w->values, value->count);
            copy_elements(w, value, value->element);
        } else {
            copy_elements(w, value, value->type);
        }
    }
    gguf_close(vocabulary);
}

static void
tensor(struct writer *w, const char *name, enum format_id id, uint64_t row,
       uint64_t rows, uint64_t slabs)
{
    const struct format *format = format_find(id);
    unsigned rank = slabs > 1 ? 3 : rows > 1 ? 2 : 1;
    uint64_t bytes = format_row_bytes(format, row) * rows * slabs;

    put_text(&w->infos, name);
    put_u32(&w->infos, rank);
    put_u64(&w->infos, row);
    if (rank > 1)
        put_u64(&w->infos, rows);
    if (rank > 2)
        put_u64(&w->infos, slabs);
    put_u32(&w->infos, (uint32_t) id);
    put_u64(&w->infos, w->offset);
    w->tensor[w->tensor_count].format = format;
    w->tensor[w->tensor_count].row = row;
    w->tensor[w->tensor_count].rows = rows * slabs;
    w->tensor_count++;
    w->offset += (bytes + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

struct mix {
    const char *name;
    enum format_id base, down, narrow, output;
};

static const struct mix mixes[] = {
    {"Q4_K_M", FORMAT_Q4_K, FORMAT_Q6_K, FORMAT_Q5_0, FORMAT_Q6_K},
    {"Q4_0", FORMAT_Q4_0, FORMAT_Q4_0, FORMAT_Q4_0, FORMAT_Q6_K},
    {"Q8_0", FORMAT_Q8_0, FORMAT_Q8_0, FORMAT_Q8_0, FORMAT_Q8_0},
};

/* The format for rows of this width: published files fall back at 256. */
static enum format_id
fitting(const struct mix *mix, enum format_id wanted, uint64_t row)
{
    const struct format *format = format_find(wanted);

    return row % format->block_elems == 0 ? wanted
           : wanted == FORMAT_Q6_K        ? FORMAT_Q8_0
                                          : mix->narrow;
}

static void
layer(struct writer *w, const struct mix *mix, unsigned l, unsigned layers)
{
    char name[64];
    // the layers to which stock mixes give more bits
    bool more =
        l < layers / 8 || l >= 7 * layers / 8 || (l - layers / 8) % 3 == 2;
    enum format_id down = more ? mix->down : mix->base;

#define T(suffix, id, row, rows, slabs)                                        \
    snprintf(name, sizeof name, "blk.%u." suffix ".weight", l);                \
    tensor(w, name, fitting(mix, id, row), row, rows, slabs)
    T("attn_norm", FORMAT_F32, HIDDEN, 1, 1);
    T("attn_q", mix->base, HIDDEN, HEADS * (NOPE + ROPE), 1);
    T("attn_kv_a_mqa", mix->base, HIDDEN, LATENT + ROPE, 1);
    T("attn_kv_a_norm", FORMAT_F32, LATENT, 1, 1);
    T("attn_k_b", mix->base, NOPE, LATENT, HEADS);
    T("attn_v_b", mix->base, LATENT, VALUE, HEADS);
    T("attn_output", mix->base, HEADS * VALUE, HIDDEN, 1);
    T("ffn_norm", FORMAT_F32, HIDDEN, 1, 1);
    if (l == 0) {
        T("ffn_gate", mix->base, HIDDEN, DENSE, 1);
        T("ffn_up", mix->base, HIDDEN, DENSE, 1);
        T("ffn_down", down, DENSE, HIDDEN, 1);
        return;
    }
    T("ffn_gate_inp", FORMAT_F32, HIDDEN, EXPERTS, 1);
    T("ffn_gate_exps", mix->base, HIDDEN, EXPERT, EXPERTS);
    T("ffn_up_exps", mix->base, HIDDEN, EXPERT, EXPERTS);
    T("ffn_down_exps", down, EXPERT, HIDDEN, EXPERTS);
    T("ffn_gate_shexp", mix->base, HIDDEN, SHARED * EXPERT, 1);
    T("ffn_up_shexp", mix->base, HIDDEN, SHARED * EXPERT, 1);
    T("ffn_down_shexp", down, SHARED * EXPERT, HIDDEN, 1);
#undef T
}

static void
metadata(struct writer *w, const char *vocabulary, unsigned layers)
{
    value_text(w, "general.architecture", "deepseek2");
    value_text(w, "general.name", "V2-Lite shape, random weights");
    value_u32(w, "general.alignment", ALIGNMENT);
    value_u32(w, "deepseek2.block_count", layers);
    value_u32(w, "deepseek2.context_length", 163840);
    value_u32(w, "deepseek2.embedding_length", HIDDEN);
    value_u32(w, "deepseek2.feed_forward_length", DENSE);
    value_u32(w, "deepseek2.attention.head_count", HEADS);
    value_u32(w, "deepseek2.attention.head_count_kv", 1);
    value_f32(w, "deepseek2.attention.layer_norm_rms_epsilon", 1e-6f);
    value_u32(w, "deepseek2.attention.q_lora_rank", 0);
    value_u32(w, "deepseek2.attention.kv_lora_rank", LATENT);
    value_u32(w, "deepseek2.attention.key_length", LATENT + ROPE);
    value_u32(w, "deepseek2.attention.value_length", LATENT);
    value_u32(w, "deepseek2.attention.key_length_mla", NOPE + ROPE);
    value_u32(w, "deepseek2.attention.value_length_mla", VALUE);
    value_u32(w, "deepseek2.rope.dimension_count", ROPE);
    value_f32(w, "deepseek2.rope.freq_base", 10000.0f);
    value_text(w, "deepseek2.rope.scaling.type", "yarn");
    value_f32(w, "deepseek2.rope.scaling.factor", 40.0f);
    value_u32(w, "deepseek2.rope.scaling.original_context_length", 4096);
    value_f32(w, "deepseek2.rope.scaling.yarn_log_multiplier", 0.0707f);
    value_u32(w, "deepseek2.leading_dense_block_count", 1);
    value_u32(w, "deepseek2.expert_count", EXPERTS);
    value_u32(w, "deepseek2.expert_used_count", USED);
    value_u32(w, "deepseek2.expert_feed_forward_length", EXPERT);
    value_u32(w, "deepseek2.expert_shared_count", SHARED);
    value_f32(w, "deepseek2.expert_weights_scale", 1.0f);
    value_u32(w, "deepseek2.expert_gating_func", 1);
    value_u32(w, "deepseek2.vocab_size", VOCABULARY);
    copy_tokenizer(w, vocabulary);
}

static uint64_t
next_random(struct writer *w)
{
    uint64_t z = w->random += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

/* Overwrites a half-precision scale of each block. */
static void
set_scale(uint8_t *row, size_t bytes, size_t block, size_t at, float scale)
{
    uint16_t half = float_to_half(scale);

    for (size_t i = at; i < bytes; i += block)
        memcpy(row + i, &half, sizeof half);
}

/*
 * Random bits, with scales that make the weights' variance about 1 / row so
 * that activations keep their size through the layers.
 */
static void
random_row(struct writer *w, const struct format *format, uint64_t width,
           uint8_t *row)
{
    size_t bytes = format_row_bytes(format, width), block = format->block_bytes;
    float unit = 1.0f;

    for (size_t i = 0; i < bytes; i += 8) {
        uint64_t bits = next_random(w);

        memcpy(row + i, &bits, bytes - i < 8 ? bytes - i : 8);
    }
    // 1 / sqrt(width), by Newton: no libm in this program
    for (int i = 0; i < 40; i++)
        unit = 0.5f * (unit + (float) width / unit);
    unit = 1.0f / unit;
    switch (format->id) {
    case FORMAT_Q4_0: // q - 8: deviation 4.6
        set_scale(row, bytes, block, 0, unit / 4.6f);
        break;
    case FORMAT_Q5_0: // q - 16: 9.2
        set_scale(row, bytes, block, 0, unit / 9.2f);
        break;
    case FORMAT_Q8_0: // 74
        set_scale(row, bytes, block, 0, unit / 74.0f);
        break;
    case FORMAT_Q4_K: // scale 0..63 times q, less the minimum about its mean
        set_scale(row, bytes, block, 0, unit / 250.0f);
        set_scale(row, bytes, block, 2, unit / 250.0f * 7.5f);
        break;
    case FORMAT_Q6_K: // int8 scale 74, q - 32: 18.5
        set_scale(row, bytes, block, 208, unit / 1370.0f);
        break;
    default:
        break;
    }
}

static void
float_row(struct writer *w, uint64_t width, uint64_t rows, uint8_t *row)
{
    for (uint64_t i = 0; i < width; i++) {
        float u = (float) (int64_t) (next_random(w) >> 40) * 0x1p-23f - 1.0f;
        float value = rows == 1 ? 1.0f + 0.2f * u : 0.04f * u;

        memcpy(row + 4 * i, &value, sizeof value);
    }
}

static void
write_bytes(struct writer *w, const void *bytes, size_t length)
{
    if (fwrite(bytes, 1, length, w->file) != length) {
        perror("shape_file");
        exit(1);
    }
}

static void
pad(struct writer *w)
{
    static const uint8_t zero[ALIGNMENT];
    long at = ftell(w->file);

    write_bytes(w, zero, (size_t) ((ALIGNMENT - at % ALIGNMENT) % ALIGNMENT));
}

static void
write_file(struct writer *w)
{
    struct buffer head = {0};
    uint8_t *row = malloc(1 << 20);

    put(&head, "GGUF", 4);
    put_u32(&head, 3);
    put_u64(&head, w->tensor_count);
    put_u64(&head, w->value_count);
    write_bytes(w, head.data, head.length);
    write_bytes(w, w->values.data, w->values.length);
    write_bytes(w, w->infos.data, w->infos.length);
    for (uint64_t t = 0; t < w->tensor_count; t++) {
        const struct format *format = w->tensor[t].format;
        uint64_t width = w->tensor[t].row;

        pad(w);
        for (uint64_t r = 0; r < w->tensor[t].rows; r++) {
            if (format->id == FORMAT_F32)
                float_row(w, width, w->tensor[t].rows, row);
            else
                random_row(w, format, width, row);
            write_bytes(w, row, format_row_bytes(format, width));
        }
    }
    pad(w);
    free(row);
    buffer_release(&head);
}

int
main(int argc, char **argv)
{
    static struct writer writer = {.random = 1};
    struct writer *w = &writer;
    const struct mix *mix = &mixes[0];
    unsigned layers = 4;

    if (argc < 3) {
        fputs("usage: shape_file OUT.gguf VOCABULARY.gguf [--layers N] "
              "[--mix Q4_K_M|Q4_0|Q8_0]\n",
              stderr);
        return 64;
    }
    for (int i = 3; i + 1 < argc; i += 2) {
        if (strcmp(argv[i], "--layers") == 0)
            layers = (unsigned) strtoul(argv[i + 1], NULL, 10);
        for (size_t m = 0; m < sizeof mixes / sizeof *mixes; m++)
            if (strcmp(argv[i + 1], mixes[m].name) == 0)
                mix = &mixes[m];
    }
    if (layers < 1 || layers > 60) {
        fputs("shape_file: --layers takes 1 to 60\n", stderr);
        return 64;
    }
    w->file = fopen(argv[1], "wb");
    if (w->file == NULL) {
        perror(argv[1]);
        return 73;
    }
    metadata(w, argv[2], layers);
    tensor(w, "token_embd.weight", mix->base, HIDDEN, VOCABULARY, 1);
    for (unsigned l = 0; l < layers; l++)
        layer(w, mix, l, layers);
    tensor(w, "output_norm.weight", FORMAT_F32, HIDDEN, 1, 1);
    tensor(w, "output.weight", mix->output, HIDDEN, VOCABULARY, 1);
    write_file(w);
    buffer_release(&w->values);
    buffer_release(&w->infos);
    if (fclose(w->file) != 0) {
        perror(argv[1]);
        return 74;
    }
    return 0;
}
