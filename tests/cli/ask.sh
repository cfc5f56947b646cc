#!/bin/sh
# fathom ask with the replay engine; see ask_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/ask_test.py"
