/* net/connection.h - one client's connection: what it does now, since when, and whether its
 * client is still there. Belongs to the loop thread. */
#ifndef BLIP_NET_CONNECTION_H
#define BLIP_NET_CONNECTION_H

#include "base/map.h"
#include "net/server.h"
#include <microhttpd.h>
#include <stdbool.h>
#include <uv.h>

enum phase {
    PHASE_HEADER,  // waiting for the first request's headers, or reading some
    PHASE_BODY,
    PHASE_WORK,   // a worker has the request
    PHASE_REPLY,  // the answer goes out
    PHASE_IDLE,   // between two requests
};

struct connection {
    struct connections *all;
    struct connection *next, **link;  // in the list of all
    struct MHD_Connection *http;
    int fd;
    char address[48];
    enum phase phase;
    int64_t since_ns;  // when the phase began
    bool greeted;      // its first request has begun
    const char *over;  // the limit that this connection is beyond, or NULL
    unsigned over_status;
    struct request *request;  // the present one, or NULL
    uv_poll_t gone;           // sees the client hang up
};

struct connections {
    uv_loop_t *uv;
    struct server_limits limits;
    bool secure;  // TLS: nothing may be sent but through libmicrohttpd
    struct connection *first;
    unsigned count;
    unsigned greeting;                      // of them, those whose first request has not begun
    struct map *per_address;                // address -> its count
    void (*on_gone)(struct connection *c);  // the client of a working request went away
};

/* Starts with no connection. STATUS_NO_MEMORY. */
enum status connections_init(struct connections *all, uv_loop_t *uv,
                             const struct server_limits *limits,
                             void (*on_gone)(struct connection *c), struct error *err);
void connections_free(struct connections *all);

/* A client came; NULL when memory runs out. */
struct connection *connection_new(struct connections *all, struct MHD_Connection *http);

/* It left, or was closed. */
void connection_free(struct connection *c);

/* Its first request has begun; fine again. */
void connection_greeted(struct connection *c);

void connection_enter(struct connection *c, enum phase phase);

/* Ends connections that took too long for their phase, with 408 where somebody waits. */
void connections_sweep(struct connections *all);

/* Closes those that do nothing. */
void connections_close_idle(struct connections *all);

#endif
