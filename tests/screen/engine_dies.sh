#!/bin/sh
# The engine dies at every moment of an answer on the screen: what came stays
# there, and the chat offers to start it again. Writes the script of keys that
# screen_player plays; see dying_test.py for the plain chat.
player=$top_builddir/tests/screen/screen_player
if ! grep -q '^#define HAVE_READLINE 1' "$top_builddir/config.h"; then
    echo "1..0 # SKIP built without readline"
    exit 0
fi
if ! [ -x "$player" ]; then
    echo "1..0 # SKIP built without libvterm"
    exit 0
fi
keys=$(mktemp) || exit 99
trap 'rm -f "$keys"' EXIT

# steps of the replay engine, and after a bar what is on the screen from then on
events='progress prefill 0 10|
progress prefill 10 10|
think Hm.|thought
think \nMore.|thought
loop think 7 30|
say One|One
say , two|One, two
say \x20and three.|One, two and three.
done|'

write_test()
{ # number of events, what follows them
    printf 'test %s_%s_events_it_dies\n' "$3" "$1"
    printf 'replay\nwant GENERATE\n'
    printf '%s\n' "$events" | head -n "$1" | cut -d'|' -f1
    printf '%sdie 9\nend\n' "$2"
    printf 'run fathom chat --ephemeral\nawait F1\nkeys Really?\\r\n'
    printf 'await the engine ended (signal 9, Killed)\n'
    printf 'await Start the engine again?\n'
    printf '%s\n' "$events" | head -n "$1" | cut -d'|' -f2 |
        sed -n 's/^..*$/await &/p' | tail -n 1
    printf 'replay\nwant GENERATE\nsay Yes, again.\ndone\ndrain\nend\n'
    printf 'keys \\r\nawait-gone again?\n'
    printf 'settle\nawait Killed); the conversation is kept\n'
    # a thought is folded: it opens
    [ "$1" -lt 3 ] || printf 'keys <F6>t\nawait Hm.\nkeys q\n'
    printf 'keys /retry\\r\n'
    printf 'await Yes, again.\nalive\nkeys /quit\\r\nexit-is 0\n'
    printf 'modes-restored\nscreen normal\n\n'
}

for count in 0 1 2 3 4 5 6 7 8 9; do
    write_test $count '' after
done >"$keys"
half='raw \x20\x00\x00\x00\x01\x00\x82\x00\x01\x00\x00\x00{"chan'
for count in 0 3 6; do
    write_test $count "$half
" in_a_frame_after
done >>"$keys"
"$player" "$keys" "$@"
