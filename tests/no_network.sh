#!/bin/sh
# Nothing of ours asks a library for a network: neither our objects, nor the two
# programs, nor any library they load but libc, which is named. The names that
# are looked for are those of fathom-security(7).
cd "${top_builddir:-.}" || exit 99
network='socket|socketpair|connect|bind|listen|accept|accept4|send|sendto
sendmsg|sendmmsg|recv|recvfrom|recvmsg|recvmmsg|getaddrinfo|getnameinfo
gethostby[a-z0-9_]*|getservby[a-z_]*|(__)?res_[a-z]*|getifaddrs|sctp_[a-z]*'
network=$(printf %s "$network" | tr '\n' '|')
ours="$network|getpw(nam|uid|ent)[a-z_]*|v?syslog|openlog|dlopen|dlmopen|popen|system"
number=0
status=0

result() { # NAME BAD: not ok where BAD is not empty
    number=$((number + 1))
    if [ -n "$2" ]; then
        printf '%s\n' "$2" | sed 's/^/# /'
        echo "not ok $number - $1"
        status=1
    else
        echo "ok $number - $1"
    fi
}

# "WHERE: name" for each import of a file that the pattern names
imports() { # PATTERN NM-OPTIONS... FILE
    pattern=$1
    shift
    for file; do :; done
    nm "$@" 2>/dev/null | awk '$1 == "U" || $1 == "w" { print $2 }' |
        sed 's/@.*//' | grep -xE "$pattern" | sort -u |
        sed "s#^#${file##*/}: #"
}

sanitized=$(grep -c '^#define WITH_SANITIZERS 1' config.h)
echo 1..6

found=$(command -v getent) &&
    found=$(imports "$network" -D --undefined-only "$found")
case $found in
*gethostby* | *getaddrinfo*) result a_program_with_network_functions_is_seen '' ;;
*) number=1; echo 'ok 1 - a_program_with_network_functions_is_seen # SKIP no getent' ;;
esac

bad=
for file in lib*.a app/fathom-*.o app/*/fathom-*.o engine/engine_main.o; do
    bad="$bad$(imports "$ours" -u "$file")"
done
result our_objects_ask_for_no_network "$bad"

bad=
for program in fathom fathom-engine; do
    bad="$bad$(imports "$ours" -D --undefined-only "$program")"
done
if [ "$sanitized" -gt 0 ]; then
    number=3
    echo 'ok 3 - the_programs_ask_for_no_network # SKIP the sanitizers do'
else
    result the_programs_ask_for_no_network "$bad"
fi

# Files of history are written by none but the vault.
bad=$(imports '(read|write|append)_history(_range)?|history_truncate_file' \
    -D --undefined-only fathom)
result readline_writes_no_history_file "$bad"

# the closure: every library that the programs load
bad=
libraries=$(ldd fathom fathom-engine | awk '$3 ~ "^/" { print $3 }' | sort -u)
[ -n "$libraries" ] || bad='no libraries are seen'
for library in $libraries; do
    case ${library##*/} in
    libc.so* | lib*san.so* | libstdc++* | libgcc_s*)
        echo "# ${library##*/}: not looked at"
        continue
        ;;
    esac
    echo "# ${library##*/}: $(imports 'dlopen|getpw[a-z_]*' -D --undefined-only \
        "$library" | sed 's/.*: //' | tr '\n' ' ')"
    bad="$bad$(imports "$network" -D --undefined-only "$library")"
done
result no_library_but_libc_has_a_network "$bad"

# and none is loaded that could be loaded later
bad=$(readelf -d fathom fathom-engine 2>/dev/null | grep -E 'RPATH|RUNPATH')
result no_library_is_looked_for_in_a_place_of_its_own "$bad"
exit $status
