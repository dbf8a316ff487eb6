/* net/listener.c - see listener.h. */
#include "net/listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static enum status why(int problem, const char *host, const char *port, struct error *err) {
    if (problem == EADDRINUSE)
        return fail(err, STATUS_BUSY, "%s:%s is in use by another program", host, port);
    enum status status = problem == EACCES ? STATUS_DENIED : STATUS_FAILED;
    return fail(err, status, "cannot listen at %s:%s: %s", host, port, strerror(problem));
}

// Returns a listening socket, or -1 with errno set.
static int listen_at(const struct addrinfo *info) {
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) return -1;
    int on = 1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0) return fd;
    int problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static void describe(int fd, char *address) {
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;
    char host[64] = "?", port[8] = "?";
    if (getsockname(fd, (struct sockaddr *)&bound, &size) == 0)
        getnameinfo((struct sockaddr *)&bound, size, host, sizeof host, port, sizeof port,
                    NI_NUMERICHOST | NI_NUMERICSERV);
    snprintf(address, LISTENER_ADDRESS_SIZE, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host,
             port);
}

enum status listener_open(const char *host, const char *port, int *fd, char *address,
                          struct error *err) {
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE};
    struct addrinfo *info;
    int failed = getaddrinfo(*host ? host : NULL, port, &hints, &info);
    if (failed)
        return fail(err, STATUS_INVALID, "cannot listen at %s:%s: %s", host, port,
                    gai_strerror(failed));
    *fd = listen_at(info);
    int problem = errno;
    freeaddrinfo(info);
    if (*fd < 0) return why(problem, host, port, err);
    describe(*fd, address);
    return STATUS_OK;
}
