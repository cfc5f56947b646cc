#!/bin/sh
# The walk of fathom-tutorial(7); see tutorial_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 \
    python3 "$top_srcdir/tests/cli/tutorial_test.py"
