#!/bin/sh
# /compact on a pseudo-terminal; see compact_test.py.
if ! grep -q '^#define HAVE_READLINE 1' "$top_builddir/config.h"; then
    echo "1..0 # SKIP built without readline"
    exit 0
fi
exec env PYTHONDONTWRITEBYTECODE=1 \
    python3 "$top_srcdir/tests/cli/compact_test.py"
