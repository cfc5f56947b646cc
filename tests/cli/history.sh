#!/bin/sh
# fathom history with a vault; see history_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/history_test.py"
