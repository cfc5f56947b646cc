#!/bin/sh
# fathom ask with a vault; see ask_vault_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 \
    python3 "$top_srcdir/tests/cli/ask_vault_test.py"
