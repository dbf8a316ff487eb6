/* bind/settings.h - the configuration as the host's C parts need it. lua/blip/config.lua reads,
 * checks and documents it; this is its result. */
#ifndef BLIP_BIND_SETTINGS_H
#define BLIP_BIND_SETTINGS_H

#include "base/error.h"
#include "net/server.h"

struct settings {
    char host[256], port[16];            // where to listen
    char data[1024];                     // the data folder
    char tls_cert[1024], tls_key[1024];  // PEM files; empty: plain HTTP
    size_t memory_bytes;                 // of the store's buffers; 0 = the store's default
    unsigned store_threads;              // of one query; 0 = one per core
    unsigned workers;
    size_t queue_max;  // waiting jobs per lane
    int64_t stop_ms;   // for requests under way when the server stops
    char log_format[8], log_level[8];
    bool has_users;  // who must say who they are
    struct server_limits limits;
    char *json;  // all of it, for Lua; settings_free() frees it
};

/* Reads the command line and the file that it names through blip.config. When help was asked
 * for, prints it and leaves json NULL. STATUS_INVALID names what is wrong with the flags or the
 * file; STATUS_NOT_FOUND, STATUS_NO_MEMORY. */
enum status settings_read(int count, char **args, struct settings *out, struct error *err);
void settings_free(struct settings *s);

#endif
