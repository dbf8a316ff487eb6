/* store/store.c - see store.h: opening and closing the database. */
#include "store/internal.h"
#include "store/table.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

// Replaying a log of this size after a crash takes about 0.2 s; smaller ones cost ingest more.
#define CHECKPOINT_THRESHOLD "32MiB"

static enum status make_folder(const char *folder, struct error *err) {
    char path[PATH_MAX];
    if ((size_t)snprintf(path, sizeof path, "%s", folder) >= sizeof path)
        return fail(err, STATUS_INVALID, "the data folder's name is too long");
    for (char *slash = strchr(path + 1, '/');; slash = strchr(slash + 1, '/')) {
        if (slash) *slash = '\0';
        if (mkdir(path, 0750) != 0 && errno != EEXIST)
            return fail(err, STATUS_DENIED, "cannot make the data folder '%s': %s", path,
                        strerror(errno));
        if (!slash) return STATUS_OK;
        *slash = '/';
    }
}

// Only one process may have the folder; the lock goes away with the process.
static enum status lock_folder(struct store *s, const char *folder, struct error *err) {
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/blip.lock", folder);
    s->lock_file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0640);
    if (s->lock_file < 0)
        return fail(err, STATUS_DENIED, "cannot write to the data folder '%s': %s", folder,
                    strerror(errno));
    if (flock(s->lock_file, LOCK_EX | LOCK_NB) == 0) return STATUS_OK;
    return fail(err, STATUS_BUSY, "the data folder '%s' is in use by another server", folder);
}

static size_t default_memory(void) {
    long pages = sysconf(_SC_PHYS_PAGES), page = sysconf(_SC_PAGESIZE);
    return pages > 0 && page > 0 ? (size_t)pages * (size_t)page / 2 : (size_t)1 << 30;
}

static unsigned default_threads(void) {
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores > 0 ? (unsigned)cores : 1;
}

static enum status configure(const struct store_options *options, duckdb_config config,
                             struct error *err) {
    char memory[32], threads[16];
    size_t bytes = options->memory_bytes ? options->memory_bytes : default_memory();
    snprintf(memory, sizeof memory, "%zuMiB", bytes >> 20 ? bytes >> 20 : 1);
    snprintf(threads, sizeof threads, "%u",
             options->threads ? options->threads : default_threads());
    const char *settings[][2] = {
        {"memory_limit", memory},
        {"threads", threads},
        {"checkpoint_threshold", CHECKPOINT_THRESHOLD},
        {"autoinstall_known_extensions", "false"},
    };
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (duckdb_set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess)
            return fail(err, STATUS_INVALID, "the store refuses the setting %s = %s",
                        settings[i][0], settings[i][1]);
    return STATUS_OK;
}

static enum status open_database(struct store *s, const struct store_options *options,
                                 struct error *err) {
    char path[PATH_MAX] = "";
    if (options->folder) snprintf(path, sizeof path, "%s/store.duckdb", options->folder);
    duckdb_config config;
    if (duckdb_create_config(&config) != DuckDBSuccess)
        return fail(err, STATUS_NO_MEMORY, "no memory to open the store");
    char *message = NULL;
    enum status status = configure(options, config, err);
    if (status == STATUS_OK && duckdb_open_ext(options->folder ? path : NULL, &s->database,
                                               config, &message) != DuckDBSuccess)
        status = fail(err, STATUS_FAILED, "cannot open the store '%s': %s", path,
                      message ? message : "unknown");
    duckdb_free(message);
    duckdb_destroy_config(&config);
    return status;
}

static enum status open_tables(struct store *s, struct error *err) {
    struct connection *c;
    enum status status = connection_open(s, &c, err);
    if (status != STATUS_OK) return status;
    status = tables_open(c, err);
    connection_close(c);
    return status;
}

enum status store_open(const struct store_options *options, struct store **out,
                       struct error *err) {
    struct store *s = calloc(1, sizeof *s);
    if (!s) return fail(err, STATUS_NO_MEMORY, "no memory to open the store");
    s->lock_file = -1;
    enum status status = STATUS_OK;
    if (options->folder) {
        status = make_folder(options->folder, err);
        if (status == STATUS_OK) status = lock_folder(s, options->folder, err);
    }
    if (status == STATUS_OK) status = open_database(s, options, err);
    if (status == STATUS_OK) status = open_tables(s, err);
    if (status != STATUS_OK) {
        store_close(s);
        return status;
    }
    *out = s;
    return STATUS_OK;
}

void store_close(struct store *s) {
    if (!s) return;
    tables_close(s);
    if (s->database) duckdb_close(&s->database);
    if (s->lock_file >= 0) close(s->lock_file);
    free(s);
}
