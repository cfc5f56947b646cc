# Each kind of test has its part; see STYLE in doc/style.md.
EXTRA_DIST += %D%/layers.sh %D%/tap.sh
TESTS += %D%/layers.sh
EXTRA_DIST += %D%/no_network.sh
TESTS += %D%/no_network.sh

# Plays a script of frames in place of fathom-engine.
check_PROGRAMS += %D%/replay_engine
%C%_replay_engine_LDADD = libbase.a $(JANSSON_LIBS)
# Makes vaults that open fast.
check_PROGRAMS += %D%/vault_maker
%C%_vault_maker_LDADD = $(STORAGE_LIBS)

include tests/cuda_emulation/local.mk
include tests/data/local.mk
include tests/unit/local.mk
include tests/screen/local.mk
include tests/model/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
include tests/leaks/local.mk
include tests/vault/local.mk
