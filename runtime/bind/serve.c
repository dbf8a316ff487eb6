/* bind/serve.c - see serve.h. Opens bottom up, closes top down:
 *     settings, listening socket, loop, signals, store, schedule, workers, HTTP server
 * The socket comes first, so that a port in use leaves no data folder behind. */
#include "bind/serve.h"

#include "base/log.h"
#include "bind/host.h"
#include "bind/settings.h"
#include "bind/work.h"
#include "bind/worker.h"
#include "net/health.h"
#include "net/listener.h"
#include "store/store.h"
#include "work/pool.h"
#include "work/schedule.h"
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

// Clients look at these before they believe that they talk to the right server.
static const char *const reply_headers[] = {"X-OpenSearch-Version",
                                            "OpenSearch/3.6.0 (opensearch)",
                                            "X-elastic-product", "Elasticsearch", NULL};

static const int signals[] = {SIGTERM, SIGINT, SIGHUP};
#define SIGNALS (sizeof signals / sizeof *signals)

struct serve {
    int count;
    char **args;
    struct settings settings;
    struct host host;
    int listener;  // -1: none, or the server has it
    char address[LISTENER_ADDRESS_SIZE];
    struct server *server;
    struct health health;
    uv_signal_t signals[SIGNALS];
};

static enum status open_listener(struct serve *s, struct error *err) {
    return listener_open(s->settings.host, s->settings.port, &s->listener, s->address, err);
}

static enum status open_store(struct serve *s, struct error *err) {
    struct store_options options = {.folder = s->settings.data,
                                    .memory_bytes = s->settings.memory_bytes,
                                    .threads = s->settings.store_threads};
    return store_open(&options, &s->host.store, err);
}

static enum status open_schedule(struct serve *s, struct error *err) {
    struct schedule_options options = {
        .loop = s->host.loop, .context = &s->host, .fire = work_fire, .release = work_release};
    return schedule_new(&options, &s->host.schedule, err);
}

static enum status open_pool(struct serve *s, struct error *err) {
    struct pool_options options = {.workers = s->settings.workers,
                                   .queue_max = s->settings.queue_max,
                                   .context = &s->host,
                                   .open = worker_open,
                                   .close = worker_close,
                                   .interrupt = worker_interrupt};
    return pool_new(&options, &s->host.pool, err);
}

static enum status open_server(struct serve *s, struct error *err) {
    s->health = (struct health){.pool = s->host.pool, .with_metrics = !s->settings.has_users};
    const struct settings *settings = &s->settings;
    struct server_options options = {.loop = s->host.loop,
                                     .tls_cert =
                                         *settings->tls_cert ? settings->tls_cert : NULL,
                                     .tls_key = settings->tls_key,
                                     .pool = s->host.pool,
                                     .listener = s->listener,
                                     .limits = s->settings.limits,
                                     .headers = reply_headers,
                                     .answer = worker_answer,
                                     .quick = health_answer,
                                     .context = &s->health};
    enum status status = server_new(&options, &s->server, err);
    if (status == STATUS_OK) s->listener = -1;
    return status;
}

// --- signals ---------------------------------------------------------------------------------

static void on_drained(void *context) {
    struct serve *s = context;
    loop_stop(s->host.loop);
}

// The first signal drains, a second one does not wait.
static void stop(struct serve *s, int number) {
    if (server_draining(s->server)) {
        loop_stop(s->host.loop);
        return;
    }
    log_event(LOG_LEVEL_INFO, "server_stopping", log_text("signal", strsignal(number)));
    server_drain(s->server, s->settings.stop_ms, on_drained, s);
}

static void apply_log(const struct settings *settings) {
    enum log_level level;
    if (log_level_parse(settings->log_level, &level)) log_set_level(level);
    if (strcmp(settings->log_format, "auto") != 0)
        log_set_json(strcmp(settings->log_format, "json") == 0);
}

// A configuration that does not read leaves everything as it was. The address, the data folder
// and the number of threads stay until the next start.
static void reload(struct serve *s) {
    struct settings fresh;
    struct error err;
    enum status status = settings_read(s->count, s->args, &fresh, &err);
    if (status == STATUS_OK)
        status = server_set_tls(s->server, fresh.tls_cert, fresh.tls_key, &err);
    if (status == STATUS_OK) status = host_set_config(&s->host, fresh.json, &err);
    if (status != STATUS_OK) {
        log_event(LOG_LEVEL_ERROR, "reload_failed", log_text("reason", err.reason));
    } else {
        apply_log(&fresh);
        server_set_limits(s->server, &fresh.limits);
        s->health.with_metrics = !fresh.has_users;
        pool_reload(s->host.pool);
        work_submit(&s->host, "blip.start", "reload", "", NULL);
        log_event(LOG_LEVEL_INFO, "server_reloaded", log_text("data", fresh.data));
    }
    settings_free(&fresh);
}

static void on_signal(uv_signal_t *handle, int number) {
    struct serve *s = handle->data;
    if (number == SIGHUP)
        reload(s);
    else
        stop(s, number);
}

static enum status open_signals(struct serve *s, struct error *err) {
    (void)err;
    for (size_t i = 0; i < SIGNALS; i++) {
        uv_signal_init(loop_uv(s->host.loop), &s->signals[i]);
        s->signals[i].data = s;
        uv_signal_start(&s->signals[i], on_signal, signals[i]);
    }
    return STATUS_OK;
}

static void close_signals(struct serve *s) {
    for (size_t i = 0; i < SIGNALS; i++)
        if (s->signals[i].data) uv_close((uv_handle_t *)&s->signals[i], NULL);
}

// --- life ------------------------------------------------------------------------------------

// A connection is a descriptor; the default limit of 1,024 is below ours.
static void raise_descriptor_limit(void) {
    struct rlimit limit;
    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
}

static enum status open_all(struct serve *s, struct error *err) {
    enum status status = open_listener(s, err);
    if (status == STATUS_OK) status = host_set_config(&s->host, s->settings.json, err);
    if (status == STATUS_OK) status = loop_new(&s->host.loop, err);
    if (status == STATUS_OK) status = open_signals(s, err);
    if (status == STATUS_OK) status = open_store(s, err);
    if (status == STATUS_OK) status = open_schedule(s, err);
    if (status == STATUS_OK) status = open_pool(s, err);
    if (status == STATUS_OK) status = open_server(s, err);
    return status;
}

static void close_all(struct serve *s) {
    if (s->host.pool) pool_close(s->host.pool, 0);
    if (s->host.loop) loop_drain(s->host.loop);  // the last answers
    folder_watch_free(&s->host);
    server_free(s->server);
    schedule_free(s->host.schedule);
    pool_free(s->host.pool);
    close_signals(s);
    loop_free(s->host.loop);
    store_close(s->host.store);
    if (s->listener >= 0) close(s->listener);
    host_free(&s->host);
    settings_free(&s->settings);
}

static int run(struct serve *s) {
    struct error err;
    if (open_all(s, &err) != STATUS_OK) {
        fprintf(stderr, "blip serve: %s\n", err.reason);
        return 1;
    }
    log_event(LOG_LEVEL_INFO, "server_started", log_text("version", BLIP_VERSION),
              log_text("listen", s->address),
              log_text("scheme", *s->settings.tls_cert ? "https" : "http"),
              log_text("data", s->settings.data), log_int("threads", s->settings.workers));
    work_submit(&s->host, "blip.start", "run", "", NULL);
    loop_run(s->host.loop);
    return 0;
}

int serve_run(int count, char **args) {
    struct serve s = {.count = count, .args = args, .listener = -1};
    struct error err;
    if (settings_read(count, args, &s.settings, &err) != STATUS_OK) {
        fprintf(stderr, "blip serve: %s\n", err.reason);
        return err.status == STATUS_INVALID ? 2 : 1;
    }
    if (!s.settings.json) return 0;  // it was help that was asked for
    apply_log(&s.settings);
    raise_descriptor_limit();
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ,
           SIG_IGN);  // a file at its limit is an error of the write, as a full disk is
    host_init(&s.host);
    int code = run(&s);
    close_all(&s);
    if (code == 0) log_event(LOG_LEVEL_INFO, "server_stopped", log_int("exit_code", code));
    return code;
}
