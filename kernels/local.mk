noinst_LIBRARIES += libkernels.a
libkernels_a_SOURCES = \
    %D%/kernels.c %D%/kernels.h \
    %D%/cpu.c %D%/cpu.h \
    %D%/exponential.c %D%/exponential.h %D%/exponential_avx2.h \
    %D%/workers.c %D%/workers.h \
    %D%/linear/linear.h %D%/linear/linear_ref.c %D%/linear/activations.c \
    %D%/norm/norm.h %D%/norm/norm_ref.c \
    %D%/rope/rope.h %D%/rope/rope_ref.c %D%/rope/rope_table.c \
    %D%/attention/attention.h %D%/attention/attention_ref.c \
    %D%/attention/project_ref.c \
    %D%/router/router.h %D%/router/router_ref.c \
    %D%/activation/activation.h %D%/activation/activation_ref.c

# Variants that need an instruction set are a library with its own flags;
# kernels.c calls them only after cpu.c has seen the processor.
if HAVE_AVX2
noinst_LIBRARIES += libkernels_avx2.a
libkernels_avx2_a_CFLAGS = $(AM_CFLAGS) -mavx2 -mfma -mf16c
libkernels_avx2_a_SOURCES = \
    %D%/linear/linear_avx2.h %D%/linear/linear_avx2_products.h \
    %D%/linear/linear_avx2_turn.h %D%/linear/linear_avx2_unpack.h \
    %D%/linear/linear_avx2_any.c %D%/linear/linear_avx2_few.c \
    %D%/linear/linear_avx2_float.c \
    %D%/linear/linear_avx2_matrix.c %D%/linear/linear_avx2_vector.c \
    %D%/linear/quantize_avx2.c \
    %D%/lanes_avx2.h \
    %D%/norm/norm_avx2.c \
    %D%/rope/rope_avx2.c \
    %D%/attention/attention_avx2.c %D%/attention/project_avx2.c \
    %D%/attention/tile_avx2.c %D%/attention/tile_avx2.h \
    %D%/activation/activation_avx2.c
avx2_library = libkernels_avx2.a
endif

# What a program that computes links: variants fall back on references, so
# the first library comes twice.
KERNELS_LIBS = libkernels.a $(avx2_library) libkernels.a libquant.a libbase.a

# Checks: OP_check.c proves that every level keeps OP.h's promise.
check_LIBRARIES += libkernels_check.a
libkernels_check_a_SOURCES = %D%/check.c %D%/check.h \
    %D%/linear/linear_sample.c %D%/linear/linear_sample.h
CHECK_LIBS = libkernels_check.a $(KERNELS_LIBS)
if HAVE_AVX2
check_LIBRARIES += libkernels_check_avx2.a
libkernels_check_avx2_a_CFLAGS = $(libkernels_avx2_a_CFLAGS)
libkernels_check_avx2_a_SOURCES = \
    %D%/exponential_check_avx2.c %D%/exponential_check.h
check_avx2_library = libkernels_check_avx2.a
endif

kernel_checks = \
    %D%/activation/activation_check \
    %D%/attention/attention_check \
    %D%/attention/half_check \
    %D%/attention/project_check \
    %D%/exponential_check \
    %D%/linear/linear_check \
    %D%/norm/norm_check \
    %D%/rope/rope_check \
    %D%/router/router_check
check_PROGRAMS += $(kernel_checks)
TESTS += $(kernel_checks)
%C%_activation_activation_check_LDADD = $(CHECK_LIBS)
%C%_attention_attention_check_LDADD = $(CHECK_LIBS)
%C%_attention_half_check_LDADD = $(CHECK_LIBS)
%C%_attention_project_check_LDADD = $(CHECK_LIBS)
%C%_norm_norm_check_LDADD = $(CHECK_LIBS)
%C%_rope_rope_check_LDADD = $(CHECK_LIBS)
%C%_router_router_check_LDADD = $(CHECK_LIBS)
%C%_exponential_check_LDADD = $(check_avx2_library) $(CHECK_LIBS)
%C%_linear_linear_check_LDADD = $(CHECK_LIBS)

# CUDA kernels are compiled for the emulator (tests/cuda_emulation) everywhere
# and, where nvcc is, for devices. A check is built three times: emulated, with
# the emulator's checker (_checked), for a device (_gpu).
cuda_kernels = %D%/activation/activation_cuda.cu %D%/linear/linear_cuda.cu
EXTRA_DIST += $(cuda_kernels) %D%/activation/activation_cuda_check.cu \
    %D%/cuda_port.h %D%/exponential_cuda.h \
    %D%/activation/activation_cuda.h \
    %D%/linear/linear_cuda.h %D%/linear/linear_cuda_blocks.h

EMULATION_CPPFLAGS = $(AM_CPPFLAGS) -I$(top_srcdir)/tests/cuda_emulation/include
EMULATION_LIBS = libkernels_emulated.a $(CHECK_LIBS) libcuda_emulation.a
check_LIBRARIES += libkernels_emulated.a
libkernels_emulated_a_CPPFLAGS = $(EMULATION_CPPFLAGS)
libkernels_emulated_a_SOURCES = %D%/check_cuda.c %D%/check_cuda.h
libkernels_emulated_a_LIBADD = $(cuda_kernels:.cu=.emulated.o)

cuda_checks = \
    %D%/activation/activation_cuda_check \
    %D%/linear/linear_cuda_check
check_PROGRAMS += $(cuda_checks) %D%/linear/linear_cuda_bench
TESTS += $(cuda_checks)
%C%_activation_activation_cuda_check_SOURCES =
%C%_activation_activation_cuda_check_LDADD = \
    %D%/activation/activation_cuda_check.emulated.o $(EMULATION_LIBS)
%C%_activation_activation_cuda_check_LINK = $(CXXLINK)
%C%_linear_linear_cuda_check_SOURCES = %D%/linear/linear_cuda_check.c
%C%_linear_linear_cuda_check_CPPFLAGS = $(EMULATION_CPPFLAGS)
%C%_linear_linear_cuda_check_LDADD = $(EMULATION_LIBS)
%C%_linear_linear_cuda_check_LINK = $(CXXLINK)
%C%_linear_linear_cuda_bench_SOURCES = %D%/linear/linear_cuda_bench.c
%C%_linear_linear_cuda_bench_CPPFLAGS = $(EMULATION_CPPFLAGS)
%C%_linear_linear_cuda_bench_LDADD = $(EMULATION_LIBS)
%C%_linear_linear_cuda_bench_LINK = $(CXXLINK)

# The checker takes the place of sanitizers.
if !WITH_SANITIZERS
CHECKER_LIBS = libkernels_checked.a $(CHECK_LIBS) \
    libcuda_checker.a libcuda_emulation.a
check_LIBRARIES += libkernels_checked.a
libkernels_checked_a_CPPFLAGS = $(EMULATION_CPPFLAGS)
libkernels_checked_a_SOURCES = $(libkernels_emulated_a_SOURCES)
libkernels_checked_a_LIBADD = $(cuda_kernels:.cu=.checked.o)
check_PROGRAMS += \
    %D%/activation/activation_cuda_check_checked \
    %D%/linear/linear_cuda_check_checked
%C%_activation_activation_cuda_check_checked_SOURCES =
%C%_activation_activation_cuda_check_checked_LDADD = \
    %D%/activation/activation_cuda_check.checked.o $(CHECKER_LIBS)
%C%_activation_activation_cuda_check_checked_LINK = $(CXXLINK)
%C%_linear_linear_cuda_check_checked_SOURCES = %D%/linear/linear_cuda_check.c
%C%_linear_linear_cuda_check_checked_CPPFLAGS = $(EMULATION_CPPFLAGS)
%C%_linear_linear_cuda_check_checked_LDADD = $(CHECKER_LIBS)
%C%_linear_linear_cuda_check_checked_LINK = $(CXXLINK)
endif

# script/gpu-check runs these.
if WITH_CUDA
noinst_LIBRARIES += libkernels_device.a
libkernels_device_a_SOURCES =
libkernels_device_a_LIBADD = $(cuda_kernels:.cu=.device.o)
DEVICE_CPPFLAGS = $(AM_CPPFLAGS) $(CUDA_CPPFLAGS)
DEVICE_LIBS = libcheck_cuda_device.a libkernels_device.a $(CHECK_LIBS)
DEVICE_LINK = $(NVCC) -ccbin $(CXX) -cudart static -o $@
check_LIBRARIES += libcheck_cuda_device.a
libcheck_cuda_device_a_CPPFLAGS = $(DEVICE_CPPFLAGS)
libcheck_cuda_device_a_SOURCES = $(libkernels_emulated_a_SOURCES)
device_binaries = \
    %D%/activation/activation_cuda_check_gpu \
    %D%/linear/linear_cuda_check_gpu \
    %D%/linear/linear_cuda_bench_gpu \
    tests/cuda_emulation/emulation_check_gpu
check_PROGRAMS += $(device_binaries)
device-programs: $(device_binaries)
%C%_activation_activation_cuda_check_gpu_SOURCES =
%C%_activation_activation_cuda_check_gpu_LDADD = \
    %D%/activation/activation_cuda_check.device.o $(DEVICE_LIBS)
%C%_activation_activation_cuda_check_gpu_LINK = $(DEVICE_LINK)
%C%_linear_linear_cuda_check_gpu_SOURCES = %D%/linear/linear_cuda_check.c
%C%_linear_linear_cuda_check_gpu_CPPFLAGS = $(DEVICE_CPPFLAGS)
%C%_linear_linear_cuda_check_gpu_LDADD = $(DEVICE_LIBS)
%C%_linear_linear_cuda_check_gpu_LINK = $(DEVICE_LINK)
%C%_linear_linear_cuda_bench_gpu_SOURCES = %D%/linear/linear_cuda_bench.c
%C%_linear_linear_cuda_bench_gpu_CPPFLAGS = $(DEVICE_CPPFLAGS)
%C%_linear_linear_cuda_bench_gpu_LDADD = $(DEVICE_LIBS)
%C%_linear_linear_cuda_bench_gpu_LINK = $(DEVICE_LINK)
else
device-programs:
	@echo "configure found no nvcc: use --with-cuda=DIR" >&2; exit 1
endif
.PHONY: device-programs
