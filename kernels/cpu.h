/*
 * Which variants may run here. FATHOM_CPU=ref|avx2 in the environment limits
 * the level by hand; results are the same at every level.
 */
#ifndef FATHOM_KERNELS_CPU_H
#define FATHOM_KERNELS_CPU_H

enum cpu_level { CPU_REF, CPU_AVX2 };

/* The highest level that processor, build and FATHOM_CPU allow. */
enum cpu_level cpu_level(void);

const char *cpu_level_name(enum cpu_level level); // "ref", "avx2"

/* Processors this process may run on (affinity mask and cgroup quota). */
unsigned cpu_count(void);

/* Processors that the text of a cpu.max file allows; 0 when it sets no limit.
 */
unsigned cpu_quota(const char *text);

#endif
