#!/bin/sh
# Plays tests/screen/NAME.keys, NAME being that of the script that is sourcing
# this one; screen_player.c tells what is in it.
name=$(basename "$0" .sh)
player=$top_builddir/tests/screen/screen_player
if ! grep -q '^#define HAVE_READLINE 1' "$top_builddir/config.h"; then
    echo "1..0 # SKIP built without readline"
    exit 0
fi
if ! [ -x "$player" ]; then
    echo "1..0 # SKIP built without libvterm"
    exit 0
fi
exec "$player" "$top_srcdir/tests/screen/$name.keys" "$@"
