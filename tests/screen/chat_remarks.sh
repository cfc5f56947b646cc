#!/bin/sh
# What the chat on the screen says, and that it is seen; see chat_remarks.keys.
. "$top_srcdir/tests/screen/play.sh"
