#!/bin/sh
# The replay engine; see replay_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/replay_test.py"
