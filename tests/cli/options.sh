#!/bin/sh
# options, pages and completions; see options_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/options_test.py"
