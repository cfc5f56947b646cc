#!/bin/sh
# Warm engines; see warm_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/warm_test.py"
