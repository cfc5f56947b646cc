#!/bin/sh
# fathom vault: what opens it; see vault_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/vault_test.py"
