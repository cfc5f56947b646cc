#!/bin/sh
# The screens of the vault: unlocking, the history, the lock; see
# vault_screens.keys.
. "$top_srcdir/tests/screen/play.sh"
