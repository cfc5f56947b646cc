#!/bin/sh
# The chat on a full screen, from end to end; see chat_screen.keys.
. "$top_srcdir/tests/screen/play.sh"
