#!/bin/sh
# Signed models, settings and the policy; see signed_test.py.
exec env PYTHONDONTWRITEBYTECODE=1 python3 "$top_srcdir/tests/cli/signed_test.py"
