#!/bin/sh
# A chat on the screen through all that befalls it; see chat_care.keys.
. "$top_srcdir/tests/screen/play.sh"
