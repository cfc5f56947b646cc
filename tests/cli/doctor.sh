#!/bin/sh
# fathom doctor; see doctor_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/doctor_test.py"
