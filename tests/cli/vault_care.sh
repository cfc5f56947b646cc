#!/bin/sh
# fathom vault check, repair, backup, restore, rotate; see vault_care_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/vault_care_test.py"
