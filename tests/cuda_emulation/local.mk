# Runs CUDA kernels on the processor; see emulator.h.
check_LIBRARIES += libcuda_emulation.a
libcuda_emulation_a_CPPFLAGS = $(EMULATION_CPPFLAGS)
libcuda_emulation_a_SOURCES = \
    %D%/include/cuda_emulation.h %D%/include/cuda_runtime_api.h \
    %D%/emulator.h %D%/blocks.cc %D%/device_memory.cc %D%/fibers.cc \
    %D%/shared.cc %D%/streams.cc %D%/warps.cc

# Kernels as C++: three ways to compile a .cu file. Dependencies as automake
# keeps them for C.
NVCC_TARGETS = \
    -gencode arch=compute_80,code=sm_80 \
    -gencode arch=compute_89,code=sm_89 \
    -gencode arch=compute_90,code=sm_90 \
    -gencode arch=compute_120,code=sm_120 \
    -gencode arch=compute_80,code=compute_80
NVCCFLAGS = -std=c++17 -O2 -fmad=false -lineinfo -ccbin $(CXX) $(NVCC_WERROR)
cuda_depends = -MD -MP -MF $(@:.o=.d)

%.emulated.o: %.cu
	@$(MKDIR_P) $(@D)
	$(AM_V_CXX)$(CXX) $(EMULATION_CPPFLAGS) $(CPPFLAGS) $(AM_CXXFLAGS) \
	    $(CXXFLAGS) $(cuda_depends) -c -o $@ -x c++ $<
%.checked.o: %.cu
	@$(MKDIR_P) $(@D)
	$(AM_V_CXX)$(CXX) $(EMULATION_CPPFLAGS) $(CPPFLAGS) $(AM_CXXFLAGS) \
	    $(CXXFLAGS) -O1 $(CHECKER_CXXFLAGS) $(cuda_depends) -c -o $@ \
	    -x c++ $<
%.device.o: %.cu
	@$(MKDIR_P) $(@D)
	$(AM_V_GEN)$(NVCC) $(AM_CPPFLAGS) $(CPPFLAGS) $(NVCCFLAGS) \
	    $(NVCC_TARGETS) $(cuda_depends) -c -o $@ $<

cuda_sources = $(cuda_kernels) kernels/activation/activation_cuda_check.cu \
    %D%/emulation_check.cu %D%/faults_check.cu
EXTRA_DIST += %D%/emulation_check.cu %D%/faults_check.cu
cuda_objects = $(cuda_sources:.cu=.emulated.o) $(cuda_sources:.cu=.checked.o) \
    $(cuda_sources:.cu=.device.o)
CLEANFILES += $(cuda_objects) $(cuda_objects:.o=.d)
-include $(cuda_objects:.o=.d)

emulation_checks = %D%/emulation_check %D%/faults_check
check_PROGRAMS += $(emulation_checks)
TESTS += $(emulation_checks)
%C%_emulation_check_SOURCES =
%C%_emulation_check_LDADD = %D%/emulation_check.emulated.o $(EMULATION_LIBS)
%C%_emulation_check_LINK = $(CXXLINK)
%C%_faults_check_SOURCES =
%C%_faults_check_LDADD = %D%/faults_check.emulated.o $(EMULATION_LIBS)
%C%_faults_check_LINK = $(CXXLINK)

# Each check again in other orders and, where it is built, with the checker.
TESTS += %D%/orders.sh
TESTS += %D%/gpu_check_test.sh

if !WITH_SANITIZERS
check_LIBRARIES += libcuda_checker.a
libcuda_checker_a_CPPFLAGS = $(EMULATION_CPPFLAGS)
libcuda_checker_a_SOURCES = %D%/checker.cc %D%/access_profile.cc
checked_checks = %D%/emulation_check_checked %D%/faults_check_checked
check_PROGRAMS += $(checked_checks)
TESTS += $(checked_checks)
%C%_emulation_check_checked_SOURCES =
%C%_emulation_check_checked_LDADD = \
    %D%/emulation_check.checked.o $(CHECKER_LIBS)
%C%_emulation_check_checked_LINK = $(CXXLINK)
%C%_faults_check_checked_SOURCES =
%C%_faults_check_checked_LDADD = %D%/faults_check.checked.o $(CHECKER_LIBS)
%C%_faults_check_checked_LINK = $(CXXLINK)
endif

if WITH_CUDA
%C%_emulation_check_gpu_SOURCES =
%C%_emulation_check_gpu_LDADD = %D%/emulation_check.device.o $(DEVICE_LIBS)
%C%_emulation_check_gpu_LINK = $(DEVICE_LINK)
TESTS += %D%/device.sh
endif
EXTRA_DIST += %D%/orders.sh %D%/device.sh %D%/gpu_check_test.sh
