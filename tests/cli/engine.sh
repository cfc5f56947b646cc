#!/bin/sh
# fathom-engine on a pair of pipes; see engine_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/engine_test.py"
