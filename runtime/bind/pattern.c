/* bind/pattern.c - see pattern.h. A pattern is a row of items; an item is a character, a class
 * or a set, with or without a suffix, or one of ( ) $ %b %f %1. `step` takes one item. */
#include "bind/pattern.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define MAX_DEPTH 200  // as many as Lua allows nested C calls

const char pattern_out_of_steps[] = "pattern takes too long";

/* Where the matcher stands: the rest of the subject and the rest of the pattern. */
struct cursor {
    const char *s, *p;
};

static const char *match(struct pattern_match *m, const char *s, const char *p)
    __attribute__((nonnull));

static const char *give_up(struct pattern_match *m, const char *problem) {
    if (!m->problem) m->problem = problem;
    return NULL;
}

static bool spend(struct pattern_match *m, ptrdiff_t steps) {
    m->steps -= steps;
    if (m->steps < 0) give_up(m, pattern_out_of_steps);
    return !m->problem;
}

// --- one character -------------------------------------------------------------------------

static bool class_holds(int c, int letter) {
    bool holds;
    switch (tolower(letter)) {
    case 'a':
        holds = isalpha(c);
        break;
    case 'c':
        holds = iscntrl(c);
        break;
    case 'd':
        holds = isdigit(c);
        break;
    case 'g':
        holds = isgraph(c);
        break;
    case 'l':
        holds = islower(c);
        break;
    case 'p':
        holds = ispunct(c);
        break;
    case 's':
        holds = isspace(c);
        break;
    case 'u':
        holds = isupper(c);
        break;
    case 'w':
        holds = isalnum(c);
        break;
    case 'x':
        holds = isxdigit(c);
        break;
    case 'z':  // deprecated, yet Lua 5.4 still knows it
        holds = c == '\0';
        break;
    default:
        return letter == c;
    }
    return isupper(letter) ? !holds : holds;
}

static int byte_at(const char *p) { return (unsigned char)*p; }

/* Is c in the set that starts at the bracket p and ends at the bracket `last`? */
static bool set_holds(int c, const char *p, const char *last) {
    bool inside = true;
    if (p[1] == '^') {
        inside = false;
        p++;
    }
    while (++p < last) {
        if (*p == '%') {
            p++;
            if (class_holds(c, byte_at(p))) return inside;
        } else if (p[1] == '-' && p + 2 < last) {
            p += 2;
            if (byte_at(p - 2) <= c && c <= byte_at(p)) return inside;
        } else if (byte_at(p) == c) {
            return inside;
        }
    }
    return !inside;
}

/* The end of the set whose first member is at p; its first ']' is a member. */
static const char *set_end(struct pattern_match *m, const char *p) {
    if (p < m->pattern_end && *p == '^') p++;
    do {
        if (p == m->pattern_end) return give_up(m, "malformed pattern (missing ']')");
        if (*p++ == '%') {
            if (p == m->pattern_end) return give_up(m, "malformed pattern (missing ']')");
            p++;
        }
    } while (p == m->pattern_end || *p != ']');
    return p + 1;
}

/* The end of the single-character item at p, before its suffix. */
static const char *item_end(struct pattern_match *m, const char *p) {
    const char *end = p + 1;
    if (*p == '%') {
        if (end == m->pattern_end) return give_up(m, "malformed pattern (ends with '%')");
        end++;
    } else if (*p == '[') {
        end = set_end(m, end);
    }
    return end && spend(m, end - p) ? end : NULL;
}

static bool item_holds(struct pattern_match *m, const char *s, const char *p, const char *end) {
    if (s >= m->text_end || !spend(m, *p == '[' ? end - p : 1)) return false;
    switch (*p) {
    case '.':
        return true;
    case '%':
        return class_holds(byte_at(s), byte_at(p + 1));
    case '[':
        return set_holds(byte_at(s), p, end - 1);
    default:
        return *p == *s;
    }
}

// --- repetition ----------------------------------------------------------------------------

/* item*: as many as there are, then fewer until the rest of the pattern fits. */
static const char *most(struct pattern_match *m, const char *s, const char *p,
                        const char *end) {
    ptrdiff_t count = 0;
    while (item_holds(m, s + count, p, end))
        count++;
    for (; count >= 0 && !m->problem; count--) {
        const char *found = match(m, s + count, end + 1);
        if (found) return found;
    }
    return NULL;
}

/* item-: none, then more until the rest of the pattern fits. */
static const char *least(struct pattern_match *m, const char *s, const char *p,
                         const char *end) {
    while (!m->problem) {
        const char *found = match(m, s, end + 1);
        if (found) return found;
        if (!item_holds(m, s, p, end)) return NULL;
        s++;
    }
    return NULL;
}

// --- captures ------------------------------------------------------------------------------

static const char *open_capture(struct pattern_match *m, const char *s, const char *p,
                                ptrdiff_t size) {
    if (m->captures == PATTERN_MAX_CAPTURES) return give_up(m, "too many captures");
    m->capture[m->captures].start = s;
    m->capture[m->captures].size = size;
    m->captures++;
    const char *found = match(m, s, p);
    if (!found) m->captures--;
    return found;
}

static const char *close_capture(struct pattern_match *m, const char *s, const char *p) {
    int i = m->captures - 1;
    while (i >= 0 && m->capture[i].size != CAPTURE_OPEN)
        i--;
    if (i < 0) return give_up(m, "invalid pattern capture");
    m->capture[i].size = s - m->capture[i].start;
    const char *found = match(m, s, p);
    if (!found) m->capture[i].size = CAPTURE_OPEN;
    return found;
}

/* %1: the same text as the capture, again. */
static const char *same_as_capture(struct pattern_match *m, const char *s, int digit) {
    int i = digit - '1';
    if (i < 0 || i >= m->captures || m->capture[i].size == CAPTURE_OPEN)
        return give_up(m, "invalid capture index in pattern");
    // A position capture has no text: Lua's own length for it fits nothing either.
    ptrdiff_t size = m->capture[i].size;
    if (size < 0 || m->text_end - s < size || !spend(m, size)) return NULL;
    return memcmp(m->capture[i].start, s, (size_t)size) ? NULL : s + size;
}

// --- %b and %f -----------------------------------------------------------------------------

/* %bxy: from an x to the y that balances it; p stands at the x. */
static const char *balanced(struct pattern_match *m, const char *s, const char *p) {
    if (m->pattern_end - p < 2)
        return give_up(m, "malformed pattern (missing arguments to '%b')");
    if (s >= m->text_end || *s != p[0]) return NULL;
    int open = 1;
    while (++s < m->text_end && spend(m, 1)) {
        if (*s == p[1]) {
            if (--open == 0) return s + 1;
        } else if (*s == p[0]) {
            open++;
        }
    }
    return NULL;
}

/* %f[set]: an empty match where the set begins to hold; p stands at the bracket. */
static bool frontier(struct pattern_match *m, struct cursor *at) {
    const char *p = at->p + 2;
    if (p == m->pattern_end || *p != '[') {
        at->s = give_up(m, "missing '[' after '%f' in pattern");
        return false;
    }
    const char *end = item_end(m, p);
    int before = at->s == m->text ? '\0' : byte_at(at->s - 1);
    int after = at->s == m->text_end ? '\0' : byte_at(at->s);
    bool fits = end && !set_holds(before, p, end - 1) && set_holds(after, p, end - 1);
    if (!fits) at->s = NULL;
    at->p = end;
    return fits;
}

// --- one item ------------------------------------------------------------------------------

/* Steps over a single-character item with its suffix. As step(). */
static bool step_single(struct pattern_match *m, struct cursor *at) {
    const char *s = at->s, *p = at->p, *end = item_end(m, p);
    at->s = NULL;
    if (!end) return false;
    switch (end < m->pattern_end ? *end : '\0') {
    case '*':
        at->s = most(m, s, p, end);
        return false;
    case '-':
        at->s = least(m, s, p, end);
        return false;
    case '+':
        at->s = item_holds(m, s, p, end) ? most(m, s + 1, p, end) : NULL;
        return false;
    case '?':
        if (item_holds(m, s, p, end)) at->s = match(m, s + 1, end + 1);
        if (at->s || m->problem) return false;
        *at = (struct cursor){s, end + 1};
        return true;
    default:
        if (!item_holds(m, s, p, end)) return false;
        *at = (struct cursor){s + 1, end};
        return true;
    }
}

/* Steps over an item that starts with '%'. As step(). */
static bool step_escape(struct pattern_match *m, struct cursor *at) {
    int letter = at->p + 1 < m->pattern_end ? byte_at(at->p + 1) : '\0';
    if (letter == 'f') return frontier(m, at);
    if (letter == 'b') {
        at->s = balanced(m, at->s, at->p + 2);
        at->p += 4;
        return at->s != NULL;
    }
    if (!isdigit(letter)) return step_single(m, at);
    at->s = same_as_capture(m, at->s, letter);
    at->p += 2;
    return at->s != NULL;
}

/* Takes one item. True: go on at the cursor. False: at->s is the answer of the whole rest. */
static bool step(struct pattern_match *m, struct cursor *at) {
    const char *p = at->p;
    switch (*p) {
    case '(':
        if (p + 1 < m->pattern_end && p[1] == ')')
            at->s = open_capture(m, at->s, p + 2, CAPTURE_POSITION);
        else
            at->s = open_capture(m, at->s, p + 1, CAPTURE_OPEN);
        return false;
    case ')':
        at->s = close_capture(m, at->s, p + 1);
        return false;
    case '$':
        if (p + 1 != m->pattern_end) return step_single(m, at);
        if (at->s != m->text_end) at->s = NULL;
        return false;
    case '%':
        return step_escape(m, at);
    default:
        return step_single(m, at);
    }
}

static const char *match(struct pattern_match *m, const char *s, const char *p) {
    if (m->depth == MAX_DEPTH) return give_up(m, "pattern too complex");
    if (!spend(m, 1)) return NULL;
    m->depth++;
    struct cursor at = {s, p};
    while (at.p < m->pattern_end && step(m, &at)) {
    }
    m->depth--;
    return m->problem ? NULL : at.s;
}

const char *pattern_match_at(struct pattern_match *m, const char *at) {
    m->captures = 0;
    m->depth = 0;
    return match(m, at, m->pattern);
}
