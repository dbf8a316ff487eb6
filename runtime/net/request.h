/* net/request.h - one request, from its first line to its answer.
 *
 *     READING ──▶ WORKING (a worker has it, the connection is suspended) ──▶ ANSWERED
 *        └────────── refused, or answered by the loop thread ──────────────────▲
 *
 * The loop thread owns it, except while it is WORKING: then its worker reads it and fills the
 * reply, and the loop thread touches nothing but the job. */
#ifndef BLIP_NET_REQUEST_H
#define BLIP_NET_REQUEST_H

#include "base/bytes.h"
#include "base/error.h"
#include "net/gzip.h"
#include "net/reply.h"
#include "work/loop.h"
#include "work/pool.h"

struct server;
struct connection;
struct MHD_Connection;

struct request {
    struct pool_job job;     // first: the pool hands this back
    struct loop_task ended;  // posted when the job has ended
    struct server *server;
    struct connection *connection;
    struct MHD_Connection *http;

    enum { REQUEST_READING, REQUEST_WORKING, REQUEST_ANSWERED } state;
    bool started;  // its headers were seen
    bool refused;  // the reply is an error of the host; the rest of the body is dropped
    bool accepts_gzip;
    bool named;          // it has an Authorization header
    bool close;          // close the connection behind the answer
    int64_t started_ns;  // of time_monotonic_ns()
    uint64_t id;         // counts from 1

    char *uri;  // as it was sent, with the query
    char method[16];
    char remote[48];       // the client's address
    char *opaque_id;       // X-Opaque-Id, or NULL
    struct bytes headers;  // see headers.h; names in lower case
    struct bytes body;     // unpacked
    bool has_body;
    struct gunzip *gunzip;  // NULL when the body is not packed
    size_t received;        // bytes of the body as they came in

    struct reply reply;
};

struct request *request_new(struct server *server, const char *uri);  // NULL: no memory
void request_free(struct request *r);                                 // NULL is fine

/* Notes a header; false when memory runs out. */
bool request_add_header(struct request *r, const char *name, const char *value);

/* Takes the next piece of the body.
 * STATUS_TOO_LARGE beyond received_max bytes as sent or unpacked_max bytes unpacked,
 * STATUS_INVALID for broken gzip, STATUS_NO_MEMORY. */
enum status request_add_body(struct request *r, const void *data, size_t size,
                             size_t received_max, size_t unpacked_max, struct error *err);

/* Answers with an error of the host's own and drops the rest of the body. */
void request_refuse(struct request *r, unsigned status, const char *type, const char *format,
                    ...) __attribute__((format(printf, 4, 5)));

#endif
