#!/bin/sh
# fathom doctor --term; see doctor_term_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 \
    python3 "$top_srcdir/tests/cli/doctor_term_test.py"
