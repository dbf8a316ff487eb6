/* base/log.h - one event a line on standard error: JSON, or readable text on a terminal.
 *     {"time":"2026-01-31T23:59:59.123Z","level":"info","event":"server_started","port":9200}
 *     23:59:59.123 info  server_started port=9200
 * Any thread may log; a line is written whole. */
#ifndef BLIP_BASE_LOG_H
#define BLIP_BASE_LOG_H

#include <stdbool.h>
#include <stdint.h>

enum log_level { LOG_LEVEL_DEBUG, LOG_LEVEL_INFO, LOG_LEVEL_WARN, LOG_LEVEL_ERROR };

/* "debug", "info", "warn", "error" -> *level; false for anything else. */
bool log_level_parse(const char *name, enum log_level *level);

/* What is written from now on. Starts at info, JSON unless standard error is a terminal. */
void log_set_level(enum log_level level);
void log_set_json(bool json);
bool log_enabled(enum log_level level);

struct log_field {
    const char *name;
    enum { LOG_FIELD_TEXT, LOG_FIELD_INT, LOG_FIELD_DOUBLE, LOG_FIELD_JSON } type;
    union {
        const char *text;  // LOG_FIELD_TEXT; LOG_FIELD_JSON: a JSON value, copied as it is
        int64_t integer;
        double number;
    };
};

static inline struct log_field log_text(const char *name, const char *text) {
    return (struct log_field){.name = name, .type = LOG_FIELD_TEXT, .text = text};
}
static inline struct log_field log_json(const char *name, const char *json) {
    return (struct log_field){.name = name, .type = LOG_FIELD_JSON, .text = json};
}
static inline struct log_field log_int(const char *name, int64_t value) {
    return (struct log_field){.name = name, .type = LOG_FIELD_INT, .integer = value};
}
static inline struct log_field log_double(const char *name, double value) {
    return (struct log_field){.name = name, .type = LOG_FIELD_DOUBLE, .number = value};
}

/* Writes an event of `count` fields; nothing below the level that was set. */
void log_write(enum log_level level, const char *event, const struct log_field *fields,
               int count);

/* log_event(LOG_LEVEL_INFO, "server_started", log_text("listen", address)); */
#define log_event(level, event, ...)                                                           \
    log_write(level, event, (struct log_field[]){__VA_ARGS__},                                 \
              (int)(sizeof((struct log_field[]){__VA_ARGS__}) / sizeof(struct log_field)))

#endif
