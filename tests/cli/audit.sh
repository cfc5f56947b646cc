#!/bin/sh
# Events of a vault; see audit_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/audit_test.py"
