#!/bin/sh
# A chat that is summarised on the screen; see compact_screens.keys.
. "$top_srcdir/tests/screen/play.sh"
