#!/bin/sh
# Keys of the input line on a full screen; see key_screens.keys.
. "$top_srcdir/tests/screen/play.sh"
