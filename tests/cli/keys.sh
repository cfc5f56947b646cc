#!/bin/sh
# the keys of fathom-keys(7), pressed; see keys_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/keys_test.py"
