/*
 * The imports of the running program's own file: whatever it takes from a
 * library is the symbol of a relocation in its dynamic section.
 */
#include "config.h"

#include "base/confine.h"

#include <link.h>
#include <stdint.h>
#include <string.h>

/* Beginnings of names; those that end in '*' are. */
static const char *const forbidden[] = {
    "socket",   "socketpair", "connect",   "bind",       "listen",
    "accept*",  "send",       "sendto",    "sendmsg",    "sendmmsg",
    "recv",     "recvfrom",   "recvmsg",   "recvmmsg",   "shutdown",
    "getaddr*", "gethost*",   "getname*",  "getserv*",   "getproto*",
    "getnet*",  "getpeer*",   "getsock*",  "setsockopt", "res_*",
    "__res_*",  "ns_*",       "if_*",      "getifaddrs", "inet_*",
    "getpw*",   "getgrnam*",  "getgrgid*", "syslog*",    "vsyslog",
    "openlog",  "dlopen",     "dlmopen",   "popen",      "system",
    "sctp_*",   "rexec*",     "rcmd*",
};

static bool
is_forbidden(const char *name)
{
    for (size_t i = 0; i < sizeof forbidden / sizeof *forbidden; i++) {
        size_t length = strlen(forbidden[i]);

        if (forbidden[i][length - 1] == '*'
                ? strncmp(name, forbidden[i], length - 1) == 0
                : strcmp(name, forbidden[i]) == 0)
            return true;
    }
    return false;
}

struct tables {
    const ElfW(Sym) * symbols;
    const char *strings;
    const ElfW(Rela) * relocations[2]; // of data, of functions
    size_t bytes[2];
};

/* The linker wrote addresses into the dynamic section when it loaded us. */
static bool
find_tables(struct tables *out)
{
    *out = (struct tables){0};
    for (const ElfW(Dyn) *entry = _DYNAMIC; entry->d_tag != DT_NULL; entry++) {
        const void *at =
            (const void *) entry->d_un.d_ptr; // NOLINT(*-no-int-to-ptr)

        switch (entry->d_tag) {
        case DT_SYMTAB:
            out->symbols = at;
            break;
        case DT_STRTAB:
            out->strings = at;
            break;
        case DT_RELA:
            out->relocations[0] = at;
            break;
        case DT_RELASZ:
            out->bytes[0] = entry->d_un.d_val;
            break;
        case DT_JMPREL:
            out->relocations[1] = at;
            break;
        case DT_PLTRELSZ:
            out->bytes[1] = entry->d_un.d_val;
            break;
        default:
            break;
        }
    }
    return out->symbols != NULL && out->strings != NULL;
}

enum status
confine_imports(struct buffer *out, struct error *err)
{
    struct tables tables;

    if (!find_tables(&tables))
        return error_set(err, STATUS_UNSUPPORTED,
                         "this program's dynamic section cannot be read");
    for (size_t i = 0; i < 2; i++)
        for (size_t j = 0; tables.relocations[i] != NULL &&
                           j < tables.bytes[i] / sizeof(ElfW(Rela));
             j++) {
            // the symbol's number is in the upper half of 64-bit files
            size_t symbol = tables.relocations[i][j].r_info >> 32;
            const char *name = tables.strings + tables.symbols[symbol].st_name;

            if (symbol != 0 && is_forbidden(name))
                TRY(buffer_print(out, err, " %s", name));
        }
    return STATUS_OK;
}
