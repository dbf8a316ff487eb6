/* base/error.h - how a function says that it failed.
 * Every function that can fail for a reason the caller can expect returns an enum status and
 * fills a struct error; what only a bug can cause is an assert. Lua sees the same vocabulary as
 * nil, { kind = "invalid", reason = "..." }. */
#ifndef BLIP_BASE_ERROR_H
#define BLIP_BASE_ERROR_H

#ifdef __cplusplus
extern "C" {
#endif

enum status {
    STATUS_OK = 0,
    STATUS_INVALID,    // the caller's input is wrong
    STATUS_NOT_FOUND,  // what was named does not exist
    STATUS_CONFLICT,   // it exists, or somebody was faster
    STATUS_TOO_LARGE,  // beyond a limit
    STATUS_BUSY,       // try again later
    STATUS_CANCELLED,  // the job's deadline passed or its client went away
    STATUS_DENIED,     // the operating system or a rule refused
    STATUS_NO_MEMORY,
    STATUS_FAILED,  // input/output, or another program's failure
};

#define ERROR_REASON_SIZE 512

struct error {
    enum status status;
    char reason[ERROR_REASON_SIZE];  // one line, names the thing and the value it had
};

/* Fills err (which may be NULL) and returns status, so that a failure is one line:
 *     return fail(err, STATUS_INVALID, "feature %zu is not finite", i); */
enum status fail(struct error *err, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The status' name in Lua and in logs: "invalid", "not_found", ... */
const char *status_name(enum status status);

#ifdef __cplusplus
}
#endif

#endif
