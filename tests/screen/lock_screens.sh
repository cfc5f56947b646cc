#!/bin/sh
# What a lock of the vault keeps while other things are going on; see
# lock_screens.keys.
. "$top_srcdir/tests/screen/play.sh"
