/* What attention.h promises of the projections, at every level. */
#include "config.h"

#include "kernels/check.h"
#include "kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A call with everything in guarded memory, and both answers. */
struct job {
    size_t rows, columns, vectors;
    size_t stride, x_stride, y_stride;
    bool by_rows;
    float *w, *x, *y, *want;
};

static size_t
in_width(const struct job *job)
{
    return job->by_rows ? job->columns : job->rows;
}

static size_t
out_width(const struct job *job)
{
    return job->by_rows ? job->rows : job->columns;
}

/* Floats of `count` rows, the last without what the stride skips. */
static size_t
extent(size_t count, size_t stride, size_t width)
{
    return (count - 1) * stride + width;
}

static void
job_open(struct job *job, struct check_random *random)
{
    size_t x = extent(job->vectors, job->x_stride, in_width(job));
    size_t y = extent(job->vectors, job->y_stride, out_width(job));
    size_t w = extent(job->rows, job->stride, job->columns);

    job->w = check_floats(w);
    job->x = check_floats(x);
    job->y = check_floats(y);
    job->want = check_floats(y);
    check_fill(random, job->w, w);
    check_fill(random, job->x, x);
}

static void
job_close(struct job *job)
{
    check_free(job->w);
    check_free(job->x);
    check_free(job->y);
    check_free(job->want);
}

static void
job_run(const struct job *job, project_fn *project, float *y)
{
    project(job->w, job->rows, job->columns, job->stride, job->x, job->x_stride,
            y, job->y_stride, job->vectors);
}

/*
 * Chains: columns / 32 products and the tree of 5 by rows, `rows` products by
 * columns; every step rounds once what is at most the sum of magnitudes.
 */
static void
job_oracle(const struct job *job, struct check_error *error)
{
    double steps = job->by_rows ? (double) ((job->columns + 31) / 32) + 5
                                : (double) job->rows;

    for (size_t v = 0; v < job->vectors; v++)
        for (size_t o = 0; o < out_width(job); o++) {
            double sum = 0, size = 0;

            for (size_t i = 0; i < in_width(job); i++) {
                size_t at =
                    job->by_rows ? o * job->stride + i : i * job->stride + o;
                double p = (double) job->w[at] *
                           (double) job->x[v * job->x_stride + i];

                sum += p;
                size += fabs(p);
            }
            check_error_add(error, (double) job->y[v * job->y_stride + o], sum,
                            steps * 0x1.001p-24 * size);
        }
}

/* Each vector alone gives what it gives among others. */
static bool
job_apart(const struct job *job, project_fn *project)
{
    struct job one = *job;
    float *y = check_floats(out_width(job));
    bool same = true;

    one.vectors = 1;
    for (size_t v = 0; v < job->vectors; v++) {
        one.x = job->x + v * job->x_stride;
        job_run(&one, project, y);
        same = check_same(y, job->y + v * job->y_stride, out_width(job),
                          "one vector alone") &&
               same;
    }
    check_free(y);
    return same;
}

struct checked {
    struct check_error error;
    bool same, apart;
};

static void
check_job(const struct kernels *k, struct check_random *random, size_t rows,
          size_t columns, size_t vectors, struct checked *checked)
{
    for (int by_rows = 0; by_rows < 2; by_rows++) {
        struct job job = {rows,    columns, vectors, 0,    0,   0,
                          by_rows, NULL,    NULL,    NULL, NULL};
        project_fn *fn = by_rows ? k->project_rows : k->project_columns;

        job.stride = columns + check_below(random, 3);
        job.x_stride = in_width(&job) + check_below(random, 3);
        job.y_stride = out_width(&job) + check_below(random, 3);
        job_open(&job, random);
        job_run(&job, by_rows ? project_rows_ref : project_columns_ref,
                job.want);
        job_run(&job, fn, job.y);
        checked->same =
            check_same(job.y, job.want,
                       extent(vectors, job.y_stride, out_width(&job)),
                       by_rows ? "project_rows" : "project_columns") &&
            checked->same;
        job_oracle(&job, &checked->error);
        checked->apart = job_apart(&job, fn) && checked->apart;
        job_close(&job);
    }
}

/* 2 rows, 3 columns: (1 2 3; 4 5 6) times (1 10 100), and transposed. */
static bool
known_answers(const struct kernels *k)
{
    const float w[] = {1, 2, 3, 4, 5, 6}, x[] = {1, 10, 100, 2, 20, 200};
    const float rows[] = {321, 654, 642, 1308};
    const float columns[] = {41, 52, 63, 82, 104, 126};
    float y[6];

    k->project_rows(w, 2, 3, 3, x, 3, y, 2, 2);
    if (!check_same(y, rows, 4, "project_rows"))
        return false;
    k->project_columns(w, 2, 3, 3, x, 3, y, 3, 2);
    return check_same(y, columns, 6, "project_columns");
}

/*
 * Products that vanish below zero leave -0 in a lane. Lanes that the last,
 * partial group never reaches must stay so: nothing, not even +0, is added.
 */
static bool
signed_zeros(const struct kernels *k)
{
    float w[72], x[72], y = 1;
    const float zero = -0.0f;
    bool right = true;

    for (size_t i = 0; i < 72; i++) {
        w[i] = -1e-30f;
        x[i] = 1e-30f;
    }
    for (size_t columns = 32; columns <= 72; columns++) {
        k->project_rows(w, 1, columns, columns, x, columns, &y, 1, 1);
        right =
            check_same(&y, &zero, 1, "a sum of vanishing products") && right;
    }
    return right;
}

static void
check_level(enum cpu_level level)
{
    const struct kernels *k = kernels_select(level);
    struct checked checked = {.same = true, .apart = true};

    printf("# level %s, seeds 0 to %d\n", cpu_level_name(level),
           CHECK_SEEDS - 1);
    check_ok(known_answers(k), "projections_give_known_answers");
    check_ok(signed_zeros(k), "lanes_that_a_row_never_reaches_are_untouched");
    for (uint64_t seed = 0; seed < CHECK_SEEDS; seed++) {
        struct check_random random = {seed};

        check_job(k, &random, 1 + check_below(&random, 80),
                  1 + check_below(&random, 80), 1 + check_below(&random, 9),
                  &checked);
    }
    struct check_random random = {CHECK_SEEDS};

    for (size_t i = 0; check_width(i) > 0; i++) {
        check_job(k, &random, 5, check_width(i), 3, &checked);
        check_job(k, &random, check_width(i), 5, 7, &checked);
    }
    check_job(k, &random, 128, 512, 1, &checked);
    check_job(k, &random, 128, 512, 6, &checked);
    check_ok(checked.same, "projections_equal_the_reference_to_the_bit");
    check_ok(checked.apart, "a_vector_alone_gives_what_it_gives_among_others");
    check_ok(check_error_within(&checked.error, "projections, binary64"),
             "projections_are_within_their_derived_bounds");
}

int
main(void)
{
    for (enum cpu_level level = CPU_REF; level <= cpu_level(); level++)
        check_level(level);
    return check_done();
}
