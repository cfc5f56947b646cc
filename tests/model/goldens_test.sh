#!/bin/sh
# Unpacks the golden folders and runs golden_check on all of them.
build=${top_builddir:-.}
work=$(mktemp -d "${TMPDIR:-/tmp}/goldens.XXXXXX") || exit 99
trap 'rm -rf "$work"' EXIT
trap 'exit 99' HUP INT TERM

for tar in full_precision quantized; do
    tar -xf "$build/tests/data/forward/$tar.tar" -C "$work" || exit 99
done
# names in the output are those of the folders
check=$(cd "$build" && pwd)/tests/model/golden_check
cd "$work" && "$check" */
