#!/bin/sh
# What is written lies nowhere in the clear; see leaks_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/leaks/leaks_test.py"
