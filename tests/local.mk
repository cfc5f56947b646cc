# Each kind of test has its part; see STYLE in doc/style.md.
EXTRA_DIST += %D%/layers.sh
TESTS += %D%/layers.sh

include tests/unit/local.mk
include tests/model/local.mk
include tests/cli/local.mk
include tests/fuzz/local.mk
