#!/bin/sh
# What another program of the same user can see; see intruders_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/leaks/intruders_test.py"
