#!/bin/sh
# The vault as a second implementation has it; see second_test.py.
PYTHONPATH="$top_srcdir/tests/cli:$top_srcdir/tests/vault"
PYTHONDONTWRITEBYTECODE=1
export PYTHONPATH PYTHONDONTWRITEBYTECODE
for python in python3 /usr/bin/python3; do
    $python -c 'import nacl.bindings' 2>/dev/null &&
        exec $python "$top_srcdir/tests/vault/second_test.py"
done
echo "1..0 # SKIP python3-nacl is not installed"
