/* net/server.h - HTTP, or HTTPS, in: libmicrohttpd on the loop thread, answers from the pool.
 *
 *     socket ─▶ libmicrohttpd ─▶ limits ─▶ quick? ── yes ─▶ answered by the loop thread
 *                                             └─ no ─▶ pool ─▶ answer() on a worker ─▶ out
 *
 * A connection is suspended while a worker has its request. When its client hangs up, or closes
 * its sending side, meanwhile, the job is cancelled. What is no HTTP at all, or does not fit
 * twice the limits of line and headers, libmicrohttpd refuses in its own words. */
#ifndef BLIP_NET_SERVER_H
#define BLIP_NET_SERVER_H

#include "base/error.h"
#include "work/loop.h"
#include "work/pool.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct request;
struct server;

/* What one client, and all of them, may ask for. Each has an answer of its own. */
struct server_limits {
    size_t request_line_bytes;         // 414
    size_t header_bytes;               // 431
    size_t body_bytes;                 // 413, as it was sent
    size_t unpacked_bytes;             // 413, after gzip
    unsigned connections;              // 503
    unsigned connections_per_address;  // 429
    int64_t header_ms;                 // 408: from the first byte to the end of the headers
    int64_t body_ms;                   // 408: for the body
    int64_t idle_ms;                   // between requests; then the connection is closed
    int64_t request_ms;                // 503: a request's deadline; 0 = none
    int64_t slow_ms;                   // requests that take longer are logged; 0 = none
    bool named_only;  // what comes without an Authorization header is answered without its body
};

struct server_options {
    struct loop *loop;
    const char *tls_cert, *tls_key;  // PEM files; NULL: plain HTTP
    struct pool *pool;
    int listener;  // a listening socket (listener.h); the server closes it when it stops
    struct server_limits limits;
    const char *const *headers;  // name, value, ..., NULL: on every answer

    /* Fills the reply on a worker. */
    void (*answer)(void *worker, struct request *r);

    /* Fills the reply on the loop thread and returns true, or returns false. May be NULL. */
    bool (*quick)(void *context, struct request *r);
    void *context;
};

/* Starts answering. STATUS_INVALID and others for the files of TLS (tls.h); STATUS_FAILED,
 * STATUS_NO_MEMORY. The listener is then still the caller's. */
enum status server_new(const struct server_options *options, struct server **out,
                       struct error *err);

/* Changes the limits from the next request on; the number of bytes of a request line and its
 * headers cannot grow beyond what the server was made with. */
void server_set_limits(struct server *s, const struct server_limits *limits);

/* Shows another certificate from the next connection on; a server that began with plain HTTP
 * stays with it. Errors as of tls_open(): the old certificate stays. */
enum status server_set_tls(struct server *s, const char *cert_path, const char *key_path,
                           struct error *err);

/* Stops listening, lets the requests that are under way come to their end, and calls done()
 * once, when no connection is left or wait_ms have passed. */
void server_drain(struct server *s, int64_t wait_ms, void (*done)(void *context),
                  void *context);
bool server_draining(const struct server *s);

/* Closes what is left. No request may be with a worker; the loop must run once more to close
 * the handles. NULL is fine. */
void server_free(struct server *s);

#endif
