/* bind/settings.h - the configuration as the host's C parts need it. lua/blip/config.lua reads,
 * checks and documents it; this is its result. */
#ifndef BLIP_BIND_SETTINGS_H
#define BLIP_BIND_SETTINGS_H

#include "base/error.h"
#include "net/server.h"
#include <stdbool.h>

struct settings {
    char host[256], port[16];  // where to listen
    char data[1024];           // the data folder
    size_t memory_bytes;       // of the store's buffers; 0 = the store's default
    unsigned store_threads;    // of one query; 0 = one per core
    unsigned workers;
    size_t queue_max;  // waiting jobs per lane
    int64_t stop_ms;   // for requests under way when the server stops
    char log_format[8], log_level[8];
    struct server_limits limits;
    char *json;  // all of it, for Lua; settings_free() frees it
};

/* Reads the command line and the file that it names through blip.config.
 * Returns true and fills the settings; or returns false and the exit code for the process, when
 * help was asked for (0, printed) or something is wrong (2, one line on standard error). */
bool settings_read(int count, char **args, struct settings *out, int *exit_code);
void settings_free(struct settings *s);

#endif
