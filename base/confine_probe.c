/* Every way out, tried with bare system calls: no function that might not. */
#include "config.h"

#include "base/confine.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/io_uring.h>

/* Numbers of <linux/socket.h> and of the protocols, which users read about. */
enum { INET = 2, STREAM = 1, RAW = 3, SEQPACKET = 5 };

static const struct {
    const char *way;
    int family, type;
} families[] = {
    {"socket(AF_INET)", INET, STREAM}, {"socket(AF_INET6)", 10, STREAM},
    {"socket(AF_UNIX)", 1, STREAM},    {"socket(AF_NETLINK)", 16, RAW},
    {"socket(AF_PACKET)", 17, RAW},    {"socket(AF_VSOCK)", 40, STREAM},
    {"socket(AF_ALG)", 38, SEQPACKET}, {"socket(AF_BLUETOOTH)", 31, RAW},
};

/* With a descriptor that is none; EBADF would say that the call exists. */
static const struct {
    const char *way;
    long number;
} calls[] = {
    {"connect", SYS_connect},         {"bind", SYS_bind},
    {"listen", SYS_listen},
#ifdef SYS_accept
    {"accept", SYS_accept},
#endif
    {"accept4", SYS_accept4},         {"sendto", SYS_sendto},
    {"sendmsg", SYS_sendmsg},         {"sendmmsg", SYS_sendmmsg},
    {"recvfrom", SYS_recvfrom},       {"recvmsg", SYS_recvmsg},
    {"recvmmsg", SYS_recvmmsg},       {"shutdown", SYS_shutdown},
    {"getsockopt", SYS_getsockopt},   {"setsockopt", SYS_setsockopt},
    {"getsockname", SYS_getsockname}, {"getpeername", SYS_getpeername},
    {"pidfd_getfd", SYS_pidfd_getfd},
};

struct visitor {
    confine_probe_fn *visit;
    void *context;
};

/* A kernel that lacks a call has it closed. */
static void
tell(const struct visitor *to, const char *way, int error)
{
    to->visit(to->context, way, error, error == EPERM || error == ENOSYS);
}

static int
error_of(long result)
{
    return result < 0 ? errno : 0;
}

/* -- sockets --------------------------------------------------------------- */

static void
try_sockets(const struct visitor *to)
{
    int pair[2];

    for (size_t i = 0; i < sizeof families / sizeof *families; i++) {
        long fd = syscall(SYS_socket, families[i].family, families[i].type, 0);

        tell(to, families[i].way, error_of(fd));
        if (fd >= 0)
            close((int) fd);
    }
    long made = syscall(SYS_socketpair, 1, STREAM, 0, pair);

    tell(to, "socketpair(AF_UNIX)", error_of(made));
    if (made == 0) {
        close(pair[0]);
        close(pair[1]);
    }
    for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
        tell(to, calls[i].way,
             error_of(syscall(calls[i].number, -1, NULL, 0, 0, NULL, 0)));
}

/* Whoever started the program may have handed it a socket as its input. */
static void
try_inherited(const struct visitor *to)
{
    DIR *list = opendir("/proc/self/fd");
    struct dirent *entry;
    struct stat stat;
    char way[64];

    if (list == NULL)
        tell(to, "inherited descriptors (/proc is missing)", EACCES);
    while (list != NULL && (entry = readdir(list)) != NULL) {
        int fd = (int) strtol(entry->d_name, NULL, 10);

        if (entry->d_name[0] == '.' || fstat(fd, &stat) != 0 ||
            !S_ISSOCK(stat.st_mode))
            continue;
        snprintf(way, sizeof way, "descriptor %d, a socket since the start",
                 fd);
        tell(to, way, 0); // it can be read and written
    }
    if (list != NULL)
        closedir(list);
}

/* -- a ring ---------------------------------------------------------------- */

/* One entry put in, one result taken out; memory as the kernel shares it. */
static int
socket_by_ring(int ring, const struct io_uring_params *p)
{
    size_t sq_bytes = p->sq_off.array + p->sq_entries * sizeof(unsigned);
    size_t cq_bytes =
        p->cq_off.cqes + p->cq_entries * sizeof(struct io_uring_cqe);
    size_t sqe_bytes = p->sq_entries * sizeof(struct io_uring_sqe);
    enum { ACCESS = PROT_READ | PROT_WRITE };
    char *sq =
        mmap(NULL, sq_bytes, ACCESS, MAP_SHARED, ring, IORING_OFF_SQ_RING);
    char *cq =
        mmap(NULL, cq_bytes, ACCESS, MAP_SHARED, ring, IORING_OFF_CQ_RING);
    struct io_uring_sqe *sqe =
        mmap(NULL, sqe_bytes, ACCESS, MAP_SHARED, ring, IORING_OFF_SQES);
    int error = ENOMEM;

    if (sq != MAP_FAILED && cq != MAP_FAILED && sqe != MAP_FAILED) {
        struct io_uring_cqe cqe;
        unsigned one = 1;

        *sqe = (struct io_uring_sqe){
            .opcode = IORING_OP_SOCKET, .fd = INET, .off = STREAM};
        memset(sq + p->sq_off.array, 0, sizeof one);
        memcpy(sq + p->sq_off.tail, &one, sizeof one);
        long entered = syscall(SYS_io_uring_enter, ring, 1, 1,
                               IORING_ENTER_GETEVENTS, NULL, 0);

        memcpy(&cqe, cq + p->cq_off.cqes, sizeof cqe);
        error = entered < 1 ? errno : cqe.res < 0 ? -cqe.res : 0;
        if (entered == 1 && cqe.res >= 0)
            close(cqe.res);
    }
    if (sq != MAP_FAILED)
        munmap(sq, sq_bytes);
    if (cq != MAP_FAILED)
        munmap(cq, cq_bytes);
    if (sqe != MAP_FAILED)
        munmap(sqe, sqe_bytes);
    return error;
}

int
confine_probe_ring(void)
{
    struct io_uring_params params = {0};
    int ring = (int) syscall(SYS_io_uring_setup, 4, &params);

    if (ring < 0)
        return errno;
    int error = socket_by_ring(ring, &params);

    close(ring);
    return error;
}

static void
try_ring(const struct visitor *to)
{
    struct io_uring_params params = {0};
    long ring = syscall(SYS_io_uring_setup, 4, &params);

    tell(to, "io_uring_setup", error_of(ring));
    if (ring >= 0)
        close((int) ring);
    tell(to, "IORING_OP_SOCKET", confine_probe_ring());
}

/* -- names ----------------------------------------------------------------- */

static void
try_imports(const struct visitor *to)
{
    struct buffer names = {0};
    struct error err;
    char way[400] = "imports of network functions and dlopen";
    enum status status = confine_imports(&names, &err);
    bool none = status == STATUS_OK && names.length == 0;

    if (status != STATUS_OK)
        snprintf(way, sizeof way, "imports: %.200s", err.text);
    else if (!none)
        snprintf(way, sizeof way, "imports of:%.300s", names.data);
    to->visit(to->context, way, 0, none);
    buffer_release(&names);
}

void
confine_probe(confine_probe_fn *visit, void *context)
{
    const struct visitor to = {visit, context};

    try_sockets(&to);
    try_ring(&to);
    try_inherited(&to);
    try_imports(&to);
}
