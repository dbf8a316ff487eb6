/* base/log.c - see log.h. */
#include "base/log.h"

#include "base/bytes.h"
#include "base/time.h"
#include <stdatomic.h>
#include <string.h>
#include <unistd.h>

static const char *const level_names[] = {"debug", "info", "warn", "error"};

// -1: not set yet, standard error decides.
static atomic_int json_lines = -1;
static atomic_int lowest = LOG_LEVEL_INFO;

bool log_level_parse(const char *name, enum log_level *level) {
    for (int i = LOG_LEVEL_DEBUG; i <= LOG_LEVEL_ERROR; i++)
        if (strcmp(name, level_names[i]) == 0) {
            *level = (enum log_level)i;
            return true;
        }
    return false;
}

void log_set_level(enum log_level level) { atomic_store(&lowest, (int)level); }

void log_set_json(bool json) { atomic_store(&json_lines, json); }

bool log_enabled(enum log_level level) { return (int)level >= atomic_load(&lowest); }

static bool as_json(void) {
    int json = atomic_load(&json_lines);
    if (json < 0) {
        json = !isatty(STDERR_FILENO);
        atomic_store(&json_lines, json);
    }
    return json;
}

static void append_value(struct bytes *line, const struct log_field *field) {
    switch (field->type) {
    case LOG_FIELD_TEXT:
        bytes_append_quoted(line, field->text, strlen(field->text));
        break;
    case LOG_FIELD_JSON:
        bytes_append_text(line, field->text);
        break;
    case LOG_FIELD_INT:
        bytes_append_int(line, field->integer);
        break;
    case LOG_FIELD_DOUBLE:
        bytes_append_double(line, field->number);
        break;
    }
}

static void write_json(struct bytes *line, const char *time, enum log_level level,
                       const char *event, const struct log_field *fields, int count) {
    bytes_append_format(line, "{\"time\":\"%s\",\"level\":\"%s\",\"event\":", time,
                        level_names[level]);
    bytes_append_quoted(line, event, strlen(event));
    for (int i = 0; i < count; i++) {
        bytes_append_char(line, ',');
        bytes_append_quoted(line, fields[i].name, strlen(fields[i].name));
        bytes_append_char(line, ':');
        append_value(line, &fields[i]);
    }
    bytes_append_text(line, "}\n");
}

static void write_text(struct bytes *line, const char *time, enum log_level level,
                       const char *event, const struct log_field *fields, int count) {
    bytes_append_format(line, "%.12s %-5s %s", time + 11, level_names[level], event);
    for (int i = 0; i < count; i++) {
        bytes_append_format(line, " %s=", fields[i].name);
        // A word stands as it is; what has blanks or quotes is quoted so that the line stays
        // one.
        bool word = fields[i].type == LOG_FIELD_TEXT && fields[i].text[0] &&
                    !strpbrk(fields[i].text, " \"\\\n\r\t\033=");
        if (word)
            bytes_append_text(line, fields[i].text);
        else
            append_value(line, &fields[i]);
    }
    bytes_append_char(line, '\n');
}

void log_write(enum log_level level, const char *event, const struct log_field *fields,
               int count) {
    if (!log_enabled(level)) return;
    char time[TIME_TEXT_SIZE];
    time_format(time_now_ms(), time);
    struct bytes line = {0};
    (as_json() ? write_json : write_text)(&line, time, level, event, fields, count);
    // One write() a line: lines of several threads do not mix. Nothing to do when it fails.
    if (bytes_ok(&line)) {
        ssize_t written = write(STDERR_FILENO, line.data, line.size);
        (void)written;
    }
    bytes_free(&line);
}
