#!/bin/sh
# What becomes of the terminal; see terminal_care.keys.
. "$top_srcdir/tests/screen/play.sh"
