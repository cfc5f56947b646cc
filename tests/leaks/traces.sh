#!/bin/sh
# What the programs ask of the kernel; see traces_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/leaks/traces_test.py"
