/* net/socket.c - see socket.h. */
#include "net/socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

static void set_options(int fd, int timeout_ms) {
    struct timeval limit = {.tv_sec = timeout_ms / 1000, .tv_usec = timeout_ms % 1000 * 1000};
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

// Returns a connected socket, or -1 with errno set.
static int connect_to(const struct addrinfo *info, int timeout_ms) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    set_options(fd, timeout_ms);
    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0) return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

enum status socket_connect(const char *host, const char *port, int timeout_ms, int *fd,
                           struct error *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *info;
    int failed = getaddrinfo(host, port, &hints, &info);
    if (failed) return fail(err, STATUS_INVALID, "%s:%s: %s", host, port, gai_strerror(failed));
    *fd = connect_to(info, timeout_ms);
    int problem = errno;
    freeaddrinfo(info);
    if (*fd >= 0) return STATUS_OK;
    return fail(err, STATUS_FAILED, "cannot connect to %s:%s: %s", host, port,
                strerror(problem));
}

enum status socket_send(int fd, const void *data, size_t size, struct error *err) {
    for (const char *at = data; size > 0;) {
        ssize_t sent = send(fd, at, size, MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR) continue;
        if (sent < 0) return fail(err, STATUS_FAILED, "cannot send: %s", strerror(errno));
        at += sent;
        size -= (size_t)sent;
    }
    return STATUS_OK;
}

enum status socket_receive(int fd, size_t size, struct bytes *out, struct error *err) {
    char *end = bytes_reserve(out, size);
    if (!end) return fail(err, STATUS_NO_MEMORY, "not enough memory to receive");
    ssize_t got;
    do
        got = recv(fd, end, size, 0);
    while (got < 0 && errno == EINTR);
    if (got < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
        return fail(err, STATUS_BUSY, "nothing came in time");
    if (got < 0) return fail(err, STATUS_FAILED, "cannot receive: %s", strerror(errno));
    out->size += (size_t)got;
    return STATUS_OK;
}
