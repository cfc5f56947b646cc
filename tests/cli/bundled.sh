#!/bin/sh
# Both programs and the bundled model; see bundled_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 \
    python3 "$top_srcdir/tests/cli/bundled_test.py"
