#!/bin/sh
# The screens of loading, experts, statistics and models; see gauge_screens.keys.
. "$top_srcdir/tests/screen/play.sh"
