/* bind/pattern.h - Lua's patterns, matched within a number of steps.
 * The matcher of Lua's own string library backtracks for as long as it likes: ("a?"):rep(30)
 * keeps a thread for hours and no debug hook can stop it, because no Lua instruction runs
 * meanwhile. This one means the same by every pattern and counts what it does.
 * Source: Lua 5.4 reference manual, 6.4.1. */
#ifndef BLIP_BIND_PATTERN_H
#define BLIP_BIND_PATTERN_H

#include <stddef.h>
#include <stdint.h>

#define PATTERN_MAX_CAPTURES 32

/* capture.size when it is no length: still open, or "()", which captures a position. */
enum { CAPTURE_OPEN = -1, CAPTURE_POSITION = -2 };

struct pattern_match {
    const char *text, *text_end;        // the whole subject
    const char *pattern, *pattern_end;  // without the leading ^
    int64_t steps;                      // left; what is used is subtracted
    const char *problem;                // NULL, or why the match was given up; never freed
    int depth;                          // of recursion: bounded, so that the C stack is safe
    int captures;
    struct {
        const char *start;
        ptrdiff_t size;
    } capture[PATTERN_MAX_CAPTURES];
};

/* Matches the pattern at exactly `at`. Returns the end of the match, or NULL when there is
 * none or when `problem` is set: a malformed pattern, or no steps left. */
const char *pattern_match_at(struct pattern_match *m, const char *at) __attribute__((nonnull));

/* The problem that says that the steps ran out. */
extern const char pattern_out_of_steps[];

#endif
