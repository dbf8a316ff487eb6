/* net/server.c - see server.h. */
#include "net/server.h"

#include "base/log.h"
#include "base/metric.h"
#include "base/time.h"
#include "net/connection.h"
#include "net/request.h"
#include "net/tls.h"
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#define SWEEP_MS 200
// Connections beyond the limit that can still be told so.
#define SPARE_CONNECTIONS 64
#define SMALLEST_BUFFER 65536
// Smaller answers cost more to pack than to send.
#define PACK_BYTES 1400
#define JSON_ERROR_BUSY "rejected_execution_exception"

struct server {
    struct server_options options;
    struct MHD_Daemon *daemon;
    struct tls *tls;  // its certificates, newest first; NULL: plain HTTP
    struct connections connections;
    uv_poll_t ready;   // libmicrohttpd's own epoll descriptor has something
    uv_check_t after;  // runs libmicrohttpd once per turn of the loop
    uv_idle_t again;   // keeps the loop turning while libmicrohttpd has more to do
    uv_timer_t soon;   // when libmicrohttpd wants to run again by itself
    uv_timer_t sweep;
    int open_handles;  // of the five above
    bool dirty;        // something for libmicrohttpd to do
    uint64_t requests;

    bool draining;
    int64_t drain_until_ns;
    void (*drained)(void *context);
    void *drained_context;

    struct metric *answers[6];  // by status / 100, from 2 on
    struct metric *seconds, *open, *cancelled;
};

// --- running libmicrohttpd -------------------------------------------------------------------

static void run(struct server *s);

static void on_soon(uv_timer_t *timer) { run(timer->data); }

static void on_again(uv_idle_t *idle) { (void)idle; }

// Sees to it that libmicrohttpd runs again in wait_ms, 0 = in the next turn of the loop. While
// a client has not come to the end of its TLS handshake, libmicrohttpd takes it for one that
// has sent something, and would not let the processor rest.
static void run_again(struct server *s, uint64_t wait_ms) {
    if (wait_ms == 0 && s->tls && s->connections.greeting > 0) wait_ms = 1;
    if (wait_ms > 0) {
        uv_timer_start(&s->soon, on_soon, wait_ms, 0);
        return;
    }
    s->dirty = true;
    uv_idle_start(&s->again, on_again);
}

// Says that the server is drained, once.
static void finish_drain(struct server *s) {
    if (!s->drained) return;
    bool late = time_monotonic_ns() > s->drain_until_ns;
    if (s->connections.count > 0 && !late) return;
    void (*drained)(void *) = s->drained;
    s->drained = NULL;
    drained(s->drained_context);
}

static void run(struct server *s) {
    MHD_UNSIGNED_LONG_LONG wait_ms = 0;
    s->dirty = false;
    uv_idle_stop(&s->again);
    uv_timer_stop(&s->soon);
    MHD_run(s->daemon);
    if (MHD_get_timeout(s->daemon, &wait_ms) == MHD_YES) run_again(s, wait_ms);
    metric_set(s->open, s->connections.count);
    finish_drain(s);
}

static void on_ready(uv_poll_t *poll, int status, int events) {
    (void)status, (void)events;
    ((struct server *)poll->data)->dirty = true;
}

static void on_after(uv_check_t *check) {
    struct server *s = check->data;
    if (s->dirty) run(s);
}

static void on_sweep(uv_timer_t *timer) {
    struct server *s = timer->data;
    connections_sweep(&s->connections);
    if (s->draining) connections_close_idle(&s->connections);
    pool_expire(s->options.pool);
    run(s);
}

// --- answering -------------------------------------------------------------------------------

static void note_answer(struct server *s, const struct request *r) {
    assert(r->reply.status >= 200 && r->reply.status < 600);
    int64_t took_ns = time_monotonic_ns() - r->started_ns;
    metric_add(s->answers[r->reply.status / 100], 1);
    metric_add(s->seconds, (double)took_ns / 1e9);
    bool slow = s->options.limits.slow_ms && took_ns / 1000000 > s->options.limits.slow_ms;
    enum log_level level = slow ? LOG_LEVEL_WARN : LOG_LEVEL_DEBUG;
    if (!log_enabled(level)) return;
    log_event(level, slow ? "slow_request" : "request", log_int("id", (int64_t)r->id),
              log_text("method", r->method), log_text("uri", r->uri),
              log_int("status", r->reply.status), log_double("took_ms", (double)took_ns / 1e6),
              log_text("remote", r->remote),
              log_text("opaque_id", r->opaque_id ? r->opaque_id : ""));
}

static void add_header(void *response, const char *name, const char *value) {
    MHD_add_response_header(response, name, value);
}

static void add_headers(const struct server *s, const struct request *r,
                        struct MHD_Response *response) {
    headers_each(&r->reply.headers, add_header, response);
    for (const char *const *header = s->options.headers; *header; header += 2)
        add_header(response, header[0], header[1]);
    if (r->opaque_id) add_header(response, "X-Opaque-Id", r->opaque_id);
    if (r->reply.packed) add_header(response, "Content-Encoding", "gzip");
    if (r->close || s->draining) add_header(response, "Connection", "close");
}

// Hands the reply to libmicrohttpd; its body stays in the request until that is completed.
static enum MHD_Result send_reply(struct server *s, struct request *r) {
    r->state = REQUEST_ANSWERED;
    connection_enter(r->connection, PHASE_REPLY);
    struct MHD_Response *response = MHD_create_response_from_buffer(
        r->reply.body.size, r->reply.body.data, MHD_RESPMEM_PERSISTENT);
    if (!response) return MHD_NO;
    add_headers(s, r, response);
    enum MHD_Result queued = MHD_queue_response(r->http, r->reply.status, response);
    MHD_destroy_response(response);
    note_answer(s, r);
    return queued;
}

// On a worker.
static void job_run(struct pool_job *job, void *worker) {
    struct request *r = (struct request *)job;
    r->server->options.answer(worker, r);
    if (r->accepts_gzip && r->reply.body.size >= PACK_BYTES)
        r->reply.packed = gzip_pack(&r->reply.body);
}

// On the loop thread, when the job has come to its end.
static void on_ended(struct loop_task *task) {
    struct request *r = (void *)((char *)task - offsetof(struct request, ended));
    r->state = REQUEST_ANSWERED;
    MHD_resume_connection(r->http);
    r->server->dirty = true;
}

// On any thread.
static void job_end(struct pool_job *job, enum status how) {
    struct request *r = (struct request *)job;
    if (how == STATUS_CANCELLED)
        reply_error(&r->reply, 503, "task_cancelled_exception",
                    "the request was dropped before a worker had begun it");
    loop_post(r->server->options.loop, &r->ended);
}

static const struct pool_job_class request_job = {.run = job_run, .end = job_end};

// The client of a request that a worker has, or that waits for one, went away.
static void on_gone(struct connection *c) {
    struct server *s = c->request->server;
    metric_add(s->cancelled, 1);
    pool_cancel(s->options.pool, &c->request->job);
}

static enum MHD_Result submit(struct server *s, struct request *r) {
    struct error err;
    int64_t request_ms = s->options.limits.request_ms;
    r->ended.run = on_ended;
    r->job = (struct pool_job){.lane = LANE_INTERACTIVE, .class = &request_job};
    if (request_ms) r->job.deadline_ns = time_monotonic_ns() + request_ms * 1000000;
    r->state = REQUEST_WORKING;
    connection_enter(r->connection, PHASE_WORK);
    MHD_suspend_connection(r->http);
    if (pool_submit(s->options.pool, &r->job, &err) == STATUS_OK) return MHD_YES;
    MHD_resume_connection(r->http);
    s->dirty = true;
    request_refuse(r, 429, JSON_ERROR_BUSY, "the server is too busy: %s", err.reason);
    headers_add(&r->reply.headers, "Retry-After", "1");
    r->state = REQUEST_ANSWERED;
    return MHD_YES;
}

// --- reading ---------------------------------------------------------------------------------

// The uri is known, the headers are not yet.
static void *on_uri(void *context, const char *uri, struct MHD_Connection *http) {
    struct server *s = context;
    struct connection *c =
        MHD_get_connection_info(http, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (!c) return NULL;
    connection_greeted(c);
    request_free(c->request);  // of a request whose headers never came
    struct request *r = c->request = request_new(s, uri);
    if (!r) return NULL;
    r->id = ++s->requests;
    r->connection = c;
    r->http = http;
    snprintf(r->remote, sizeof r->remote, "%s", c->address);
    connection_enter(c, PHASE_HEADER);
    return r;
}

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name,
                                 const char *value) {
    (void)kind;
    return request_add_header(context, name, value ? value : "") ? MHD_YES : MHD_NO;
}

static void check_connection(struct request *r) {
    const struct connection *c = r->connection;
    if (!c->over) return;
    request_refuse(r, c->over_status, JSON_ERROR_BUSY, "too many %s: the limit is %u", c->over,
                   c->over_status == 503 ? c->all->limits.connections
                                         : c->all->limits.connections_per_address);
    headers_add(&r->reply.headers, "Retry-After", "1");
}

static void check_sizes(const struct server *s, struct request *r) {
    const struct server_limits *limits = &s->options.limits;
    size_t line = strlen(r->method) + strlen(r->uri) + strlen("  HTTP/1.1");
    size_t headers =
        MHD_get_connection_info(r->http, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE)->header_size;
    const char *length =
        MHD_lookup_connection_value(r->http, MHD_HEADER_KIND, "content-length");
    if (line > limits->request_line_bytes)
        request_refuse(r, 414, "too_long_http_line_exception",
                       "the request line is %zu bytes long: the limit is %zu", line,
                       limits->request_line_bytes);
    else if (headers > limits->header_bytes + line)
        request_refuse(r, 431, "too_long_http_header_exception",
                       "the headers are %zu bytes long: the limit is %zu", headers - line,
                       limits->header_bytes);
    else if (length && strtoull(length, NULL, 10) > limits->body_bytes)
        request_refuse(r, 413, "content_too_long_exception",
                       "the body is %s bytes long: the limit is %zu", length,
                       limits->body_bytes);
}

// gzip is the one packing that we read.
static void check_encoding(struct request *r) {
    const char *encoding =
        MHD_lookup_connection_value(r->http, MHD_HEADER_KIND, "content-encoding");
    if (!encoding || r->gunzip || strcasecmp(encoding, "identity") == 0) return;
    request_refuse(r, 415, "media_type_exception", "Content-Encoding [%s] is not supported",
                   encoding);
}

// The headers are known: refuses at once what is beyond a limit, before the body is sent.
static enum MHD_Result start(struct server *s, struct request *r, const char *method) {
    r->started = true;
    snprintf(r->method, sizeof r->method, "%s", method);
    if (MHD_get_connection_values(r->http, MHD_HEADER_KIND, on_header, r) < 0) return MHD_NO;
    connection_enter(r->connection, PHASE_BODY);
    check_connection(r);
    if (!r->refused) check_sizes(s, r);
    if (!r->refused) check_encoding(r);
    if (!r->refused) return MHD_YES;
    r->close = true;
    return send_reply(s, r);
}

static void take_body(const struct server *s, struct request *r, const char *data,
                      size_t size) {
    const struct server_limits *limits = &s->options.limits;
    struct error err;
    if (r->refused || (limits->named_only && !r->named)) return;
    enum status status =
        request_add_body(r, data, size, limits->body_bytes, limits->unpacked_bytes, &err);
    if (status == STATUS_TOO_LARGE)
        request_refuse(r, 413, "content_too_long_exception", "%s", err.reason);
    else if (status == STATUS_INVALID)
        request_refuse(r, 400, "parse_exception", "%s", err.reason);
    else if (status != STATUS_OK)
        request_refuse(r, 503, "circuit_breaking_exception", "%s", err.reason);
}

static enum MHD_Result finish(struct server *s, struct request *r) {
    if (!r->refused && r->gunzip && r->has_body && !gunzip_done(r->gunzip))
        request_refuse(r, 400, "parse_exception", "the gzip body ends too early");
    if (r->refused) return send_reply(s, r);
    if (s->options.quick && s->options.quick(s->options.context, r)) return send_reply(s, r);
    return submit(s, r);
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *http, const char *url,
                                 const char *method, const char *version,
                                 const char *upload_data, size_t *upload_size, void **own) {
    (void)http, (void)url, (void)version;
    struct server *s = context;
    struct request *r = *own;
    if (!r) return MHD_NO;
    if (r->state == REQUEST_ANSWERED) return send_reply(s, r);
    if (!r->started) return start(s, r, method);
    if (*upload_size == 0) return finish(s, r);
    take_body(s, r, upload_data, *upload_size);
    *upload_size = 0;
    return MHD_YES;
}

static void on_completed(void *context, struct MHD_Connection *http, void **own,
                         enum MHD_RequestTerminationCode how) {
    (void)context, (void)http, (void)how;
    struct request *r = *own;
    if (!r) return;
    assert(r->state != REQUEST_WORKING);
    r->connection->request = NULL;
    connection_enter(r->connection, PHASE_IDLE);
    request_free(r);
    *own = NULL;
}

static void on_connection(void *context, struct MHD_Connection *http, void **own,
                          enum MHD_ConnectionNotificationCode code) {
    struct server *s = context;
    if (code == MHD_CONNECTION_NOTIFY_STARTED)
        *own = connection_new(&s->connections, http);
    else if (*own)
        connection_free(*own);
}

// Paths and queries stay as they were sent: Lua decodes them segment by segment.
static size_t keep_escapes(void *context, struct MHD_Connection *http, char *text) {
    (void)context, (void)http;
    return strlen(text);
}

// --- life ------------------------------------------------------------------------------------

// When libmicrohttpd gives a silent connection up, in seconds. Our own time-outs come first;
// this one ends clients that do not read their answer. 0 when one of ours is none.
static unsigned silence_seconds(const struct server_limits *limits) {
    const int64_t times[] = {limits->header_ms, limits->body_ms, limits->idle_ms};
    int64_t longest_ms = 0;
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        if (times[i] == 0) return 0;
        if (times[i] > longest_ms) longest_ms = times[i];
    }
    return (unsigned)(longest_ms / 1000 + 2);
}

static struct MHD_Daemon *start_daemon(struct server *s) {
    const struct server_limits *limits = &s->options.limits;
    size_t buffer = 2 * (limits->request_line_bytes + limits->header_bytes);
    if (buffer < SMALLEST_BUFFER) buffer = SMALLEST_BUFFER;
    struct MHD_OptionItem secure[TLS_OPTIONS + 1] = {{MHD_OPTION_END, 0, NULL}};
    if (s->tls) tls_options(secure);
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, s->options.listener, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, limits->connections + SPARE_CONNECTIONS, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, (intptr_t)buffer, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, silence_seconds(limits), NULL},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, s},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, s},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_uri, s},
        {MHD_OPTION_UNESCAPE_CALLBACK, (intptr_t)keep_escapes, s},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | (s->tls ? MHD_USE_TLS : 0);
    return MHD_start_daemon(flags, 0, NULL, NULL, on_access, s, MHD_OPTION_ARRAY, items,
                            MHD_OPTION_ARRAY, secure, MHD_OPTION_END);
}

static void make_metrics(struct server *s) {
    for (int i = 2; i < 6; i++) {
        char labels[32];
        snprintf(labels, sizeof labels, "status=\"%dxx\"", i);
        s->answers[i] = metric_get(METRIC_COUNTER, "blip_http_requests_total", labels,
                                   "Requests answered, by class of status.");
    }
    s->seconds = metric_get(METRIC_COUNTER, "blip_http_request_seconds_total", "",
                            "Time from a request's first line to its answer, summed up.");
    s->open = metric_get(METRIC_GAUGE, "blip_http_connections", "", "Open connections.");
    s->cancelled = metric_get(METRIC_COUNTER, "blip_http_requests_cancelled_total", "",
                              "Requests whose client went away before the answer.");
}

static void start_handles(struct server *s) {
    uv_loop_t *uv = loop_uv(s->options.loop);
    int fd = MHD_get_daemon_info(s->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    uv_poll_init(uv, &s->ready, fd);
    uv_check_init(uv, &s->after);
    uv_idle_init(uv, &s->again);
    uv_timer_init(uv, &s->soon);
    uv_timer_init(uv, &s->sweep);
    s->ready.data = s->after.data = s->again.data = s->soon.data = s->sweep.data = s;
    s->open_handles = 5;
    uv_poll_start(&s->ready, UV_READABLE, on_ready);
    uv_check_start(&s->after, on_after);
    uv_timer_start(&s->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
}

static enum status show_certificate(struct server *s, const char *cert_path,
                                    const char *key_path, struct error *err) {
    struct tls *t;
    enum status status = tls_open(cert_path, key_path, &t, err);
    if (status != STATUS_OK) return status;
    tls_keep(&s->tls, t);
    tls_show(t);
    return STATUS_OK;
}

enum status server_set_tls(struct server *s, const char *cert_path, const char *key_path,
                           struct error *err) {
    return s->tls ? show_certificate(s, cert_path, key_path, err) : STATUS_OK;
}

enum status server_new(const struct server_options *options, struct server **out,
                       struct error *err) {
    struct server *s = calloc(1, sizeof *s);
    if (!s) return fail(err, STATUS_NO_MEMORY, "not enough memory for the server");
    s->options = *options;
    enum status status = connections_init(&s->connections, loop_uv(options->loop),
                                          &options->limits, on_gone, err);
    if (status == STATUS_OK && options->tls_cert)
        status = show_certificate(s, options->tls_cert, options->tls_key, err);
    s->connections.secure = s->tls != NULL;
    if (status == STATUS_OK && !(s->daemon = start_daemon(s)))
        status = fail(err, STATUS_FAILED, "cannot start the HTTP server");
    if (status != STATUS_OK) {
        connections_free(&s->connections);
        tls_free(s->tls);
        free(s);
        return status;
    }
    make_metrics(s);
    start_handles(s);
    run(s);
    *out = s;
    return STATUS_OK;
}

void server_set_limits(struct server *s, const struct server_limits *limits) {
    s->options.limits = *limits;
    s->connections.limits = *limits;
}

bool server_draining(const struct server *s) { return s->draining; }

void server_drain(struct server *s, int64_t wait_ms, void (*done)(void *context),
                  void *context) {
    s->draining = true;
    s->drain_until_ns = time_monotonic_ns() + wait_ms * 1000000;
    s->drained = done;
    s->drained_context = context;
    int fd = MHD_quiesce_daemon(s->daemon);
    if (fd != MHD_INVALID_SOCKET) close(fd);
    connections_close_idle(&s->connections);
    s->dirty = true;
}

static void on_closed(uv_handle_t *handle) {
    struct server *s = handle->data;
    if (--s->open_handles > 0) return;
    connections_free(&s->connections);
    tls_free(s->tls);
    free(s);
}

void server_free(struct server *s) {
    if (!s) return;
    MHD_run(s->daemon);  // takes in the connections that were resumed last
    uv_poll_stop(&s->ready);
    MHD_stop_daemon(s->daemon);
    uv_close((uv_handle_t *)&s->ready, on_closed);
    uv_close((uv_handle_t *)&s->after, on_closed);
    uv_close((uv_handle_t *)&s->again, on_closed);
    uv_close((uv_handle_t *)&s->soon, on_closed);
    uv_close((uv_handle_t *)&s->sweep, on_closed);
}
