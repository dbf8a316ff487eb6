/* net/connection.c - see connection.h. */
#include "net/connection.h"

#include "base/time.h"
#include "net/request.h"
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum status connections_init(struct connections *all, uv_loop_t *uv,
                             const struct server_limits *limits,
                             void (*on_gone)(struct connection *c), struct error *err) {
    *all = (struct connections){.uv = uv, .limits = *limits, .on_gone = on_gone};
    all->per_address = map_new();
    if (all->per_address) return STATUS_OK;
    return fail(err, STATUS_NO_MEMORY, "not enough memory for connections");
}

void connections_free(struct connections *all) { map_free(all->per_address); }

static unsigned address_count(const struct connections *all, const char *address) {
    const unsigned *count = map_get(all->per_address, address);
    return count ? *count : 0;
}

// Counts one more; an address is not limited when memory runs out.
static void count_address(struct connections *all, const char *address) {
    unsigned *count = map_get(all->per_address, address);
    if (!count) {
        count = calloc(1, sizeof *count);
        if (!count || !map_set(all->per_address, address, count)) {
            free(count);
            return;
        }
    }
    ++*count;
}

static void uncount_address(struct connections *all, const char *address) {
    unsigned *count = map_get(all->per_address, address);
    if (!count || --*count > 0) return;
    map_remove(all->per_address, address);
    free(count);
}

static void read_address(struct MHD_Connection *http, char *out, size_t size) {
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(http, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    snprintf(out, size, "unknown");
    if (!info || !info->client_addr) return;
    const struct sockaddr *address = info->client_addr;
    if (address->sa_family == AF_INET)
        inet_ntop(AF_INET, &((const struct sockaddr_in *)(const void *)address)->sin_addr, out,
                  (socklen_t)size);
    else if (address->sa_family == AF_INET6)
        inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr,
                  out, (socklen_t)size);
}

// The client closed its side. libuv would say so again and again: look away from now on.
static void on_hangup(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    struct connection *c = poll->data;
    uv_poll_stop(poll);
    if (c->phase == PHASE_WORK) c->all->on_gone(c);
}

static void note_limits(struct connection *c) {
    const struct server_limits *limits = &c->all->limits;
    if (c->all->count > limits->connections) {
        c->over = "connections in total";
        c->over_status = 503;
    } else if (address_count(c->all, c->address) > limits->connections_per_address) {
        c->over = "connections of one address";
        c->over_status = 429;
    }
}

struct connection *connection_new(struct connections *all, struct MHD_Connection *http) {
    struct connection *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->all = all;
    c->http = http;
    c->fd = MHD_get_connection_info(http, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
    read_address(http, c->address, sizeof c->address);
    connection_enter(c, PHASE_HEADER);
    if (uv_poll_init(all->uv, &c->gone, c->fd) != 0) {
        free(c);
        return NULL;
    }
    c->gone.data = c;
    uv_poll_start(&c->gone, UV_DISCONNECT, on_hangup);

    c->next = all->first;
    c->link = &all->first;
    if (c->next) c->next->link = &c->next;
    all->first = c;
    all->count++;
    all->greeting++;
    count_address(all, c->address);
    note_limits(c);
    return c;
}

static void on_closed(uv_handle_t *gone) { free(gone->data); }

void connection_free(struct connection *c) {
    *c->link = c->next;
    if (c->next) c->next->link = c->link;
    c->all->count--;
    connection_greeted(c);
    uncount_address(c->all, c->address);
    request_free(c->request);
    c->request = NULL;
    uv_close((uv_handle_t *)&c->gone, on_closed);
}

void connection_greeted(struct connection *c) {
    if (!c->greeted) c->all->greeting--;
    c->greeted = true;
}

void connection_enter(struct connection *c, enum phase phase) {
    c->phase = phase;
    c->since_ns = time_monotonic_ns();
}

// Answers behind libmicrohttpd's back, which has no way to answer before a request is read.
static void send_time_out(struct connection *c, const char *what, int64_t ms) {
    struct reply reply = {0};
    reply_error(&reply, 408, "request_timeout_exception",
                "the %s took longer than %lld ms to arrive", what, (long long)ms);
    char head[256];
    int size = snprintf(head, sizeof head,
                        "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n"
                        "Content-Type: application/json; charset=UTF-8\r\n"
                        "Content-Length: %zu\r\n\r\n",
                        reply.body.size);
    send(c->fd, head, (size_t)size, MSG_DONTWAIT | MSG_NOSIGNAL | MSG_MORE);
    send(c->fd, reply.body.data, reply.body.size, MSG_DONTWAIT | MSG_NOSIGNAL);
    reply_clear(&reply);
}

// Hangs up: libmicrohttpd then sees a closed connection.
static void time_out(struct connection *c, const char *what, int64_t ms) {
    if (!c->all->secure) send_time_out(c, what, ms);
    shutdown(c->fd, SHUT_RDWR);
}

// A limit of 0 is none.
static bool past(int64_t age_ms, int64_t limit_ms) { return limit_ms > 0 && age_ms > limit_ms; }

static void sweep_one(struct connection *c, int64_t now_ns) {
    const struct server_limits *limits = &c->all->limits;
    int64_t age_ms = (now_ns - c->since_ns) / 1000000;
    if (c->phase == PHASE_HEADER && past(age_ms, limits->header_ms))
        time_out(c, "headers", limits->header_ms);
    else if (c->phase == PHASE_BODY && past(age_ms, limits->body_ms))
        time_out(c, "body", limits->body_ms);
    else if (c->phase == PHASE_IDLE && past(age_ms, limits->idle_ms))
        shutdown(c->fd, SHUT_RDWR);
}

void connections_sweep(struct connections *all) {
    int64_t now_ns = time_monotonic_ns();
    for (struct connection *c = all->first; c; c = c->next)
        sweep_one(c, now_ns);
}

void connections_close_idle(struct connections *all) {
    for (struct connection *c = all->first; c; c = c->next)
        if (c->phase == PHASE_IDLE || c->phase == PHASE_HEADER) shutdown(c->fd, SHUT_RDWR);
}
