/* bind/sandbox.h - a Lua state in which somebody else's script can do no harm.
 *
 *     host state (lua/blip)                sandbox
 *     ---------------------                ---------------------------------------
 *     text of the words       ──────────▶  prelude: makes the script's environment
 *     text of the script      ──────────▶  run: compiled as text, never as bytecode
 *     arguments (a parcel)    ──────────▶  call a function that the prelude registered
 *                             ◀──────────  results (a parcel): plain data, nothing alive
 *
 * The state has an allocator with a cap, a step budget that every Lua instruction, every byte
 * allocated and every long loop in C is charged to, and a limit of CPU time behind it. Running
 * out of any of them ends the call with an error that no pcall of the script can keep; the
 * sandbox stays usable. What the script can name is what the prelude puts into its environment,
 * out of a fixed list of harmless functions: nothing that loads code, opens files, reaches
 * another table's metatable, or gives away an address.
 *
 * A sandbox is used by one thread at a time. */
#ifndef BLIP_BIND_SANDBOX_H
#define BLIP_BIND_SANDBOX_H

#include "base/error.h"
#include "bind/parcel.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox;

struct sandbox_limits {
    size_t memory_bytes;  // of the whole state; at least 1 MB
    int64_t steps;        // per call: about one Lua instruction each
    int64_t cpu_ms;       // per call: processor time of the calling thread
};

struct sandbox_text {
    const char *name;  // shown in errors
    const char *text;
    size_t size;
};

/* Creates a sandbox and runs the prelude in it: trusted Lua texts, in their order. Each gets
 * { here =, span = } (functions: the script's line that called; the lines of a function) and
 * what the text before it returned; the last one returns a table of
 *   environment  the table that the script sees as its globals
 *   functions    name -> function; what sandbox_call() can call, filled while the script runs
 *   finish       gets what the script returned; its results leave the sandbox
 * STATUS_FAILED when the prelude is wrong. sandbox_free() frees the sandbox. */
enum status sandbox_new(const struct sandbox_limits *limits, const struct sandbox_text *prelude,
                        size_t count, struct sandbox **out, struct error *err);
void sandbox_free(struct sandbox *s);  // NULL is fine

/* Runs a script.
 *   name     a short one, shown in errors: "http_errors.lua:12: ..."
 *   results  what the prelude's finish() returned, appended
 * STATUS_INVALID: the script's own error, with name and line; STATUS_TOO_LARGE: a limit of the
 * sandbox was reached. */
enum status sandbox_run(struct sandbox *s, const char *text, size_t size, const char *name,
                        struct parcel *results, struct error *err);

/* Calls one of the prelude's functions with the values of a parcel. STATUS_NOT_FOUND when there
 * is none of this name; otherwise as sandbox_run(). */
enum status sandbox_call(struct sandbox *s, const char *function, const struct parcel *args,
                         struct parcel *results, struct error *err);

/* Calls one of the prelude's functions once per row, with a table of the row's inputs.
 *   names    [inputs] key of each input in the table
 *   columns  [inputs][rows]; NaN is missing: the key is then absent
 *   out      [rows] what the function returned; NaN for nil
 *   stop     asked before every row; true ends with STATUS_CANCELLED. NULL is fine
 * Each row has a budget of its own. An error names the row's position. */
enum status sandbox_map(struct sandbox *s, const char *function, size_t inputs,
                        const char *const *names, const double *const *columns, size_t rows,
                        double *out, bool (*stop)(void), struct error *err);

size_t sandbox_size_bytes(const struct sandbox *s);  // resident memory of the state

#endif
