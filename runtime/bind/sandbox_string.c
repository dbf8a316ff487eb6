/* bind/sandbox_string.c - the string library of the sandbox: as Lua's, but find, match, gmatch
 * and gsub match within the budget (bind/pattern.h), rep cannot run empty, and format shows no
 * address. Source: Lua 5.4 reference manual, 6.4. */
#include "bind/pattern.h"
#include "bind/sandbox_guard.h"

#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

// --- matching ------------------------------------------------------------------------------

/* A subject, a pattern, and where to look next. */
struct search {
    struct pattern_match m;
    bool anchored;         // the pattern starts with ^
    const char *from;      // where the next attempt starts
    const char *last_end;  // of the last match: an empty match right there does not count
};

static void search_start(struct search *search, const char *text, size_t text_size,
                         const char *pattern, size_t pattern_size) {
    bool anchored = pattern_size > 0 && *pattern == '^';
    memset(search, 0, sizeof *search);
    search->anchored = anchored;
    search->from = text;
    search->m.text = text;
    search->m.text_end = text + text_size;
    search->m.pattern = pattern + anchored;
    search->m.pattern_end = pattern + pattern_size;
}

/* Matches at one place, paid from the budget. Raises on a malformed pattern. */
static const char *match_here(lua_State *L, struct pattern_match *m, const char *at) {
    int64_t budget = sandbox_steps_left(L);
    m->steps = budget;
    m->problem = NULL;
    const char *end = pattern_match_at(m, at);
    sandbox_charge(L, m->problem == pattern_out_of_steps ? budget + 1 : budget - m->steps);
    if (m->problem) luaL_error(L, "%s", m->problem);
    return end;
}

/* Finds the next match: returns its start and sets *end, or NULL. */
static const char *search_next(lua_State *L, struct search *search, const char **end) {
    while (search->from <= search->m.text_end) {
        const char *start = search->from++;
        *end = match_here(L, &search->m, start);
        if (search->anchored) search->from = search->m.text_end + 1;
        if (*end && *end != search->last_end) {
            if (!search->anchored) search->from = *end;
            search->last_end = *end;
            return start;
        }
    }
    return NULL;
}

/* Pushes capture i, or the whole match when the pattern has none and i is 0. */
static void push_capture(lua_State *L, const struct pattern_match *m, int i, const char *start,
                         const char *end) {
    if (i >= m->captures) {
        if (i > 0) luaL_error(L, "invalid capture index %%%d", i + 1);
        lua_pushlstring(L, start, (size_t)(end - start));
    } else if (m->capture[i].size == CAPTURE_OPEN) {
        luaL_error(L, "unfinished capture");
    } else if (m->capture[i].size == CAPTURE_POSITION) {
        lua_pushinteger(L, m->capture[i].start - m->text + 1);
    } else {
        lua_pushlstring(L, m->capture[i].start, (size_t)m->capture[i].size);
    }
}

/* Pushes all captures; the whole match stands for none when `whole`. Returns how many. */
static int push_captures(lua_State *L, const struct pattern_match *m, const char *start,
                         const char *end, bool whole) {
    int count = m->captures == 0 && whole ? 1 : m->captures;
    luaL_checkstack(L, count, "too many captures");
    for (int i = 0; i < count; i++)
        push_capture(L, m, i, start, end);
    return count;
}

// --- find, match ---------------------------------------------------------------------------

/* The offset that an optional position argument means; beyond the end when it is too large. */
static size_t start_offset(lua_State *L, int argument, size_t size) {
    lua_Integer position = luaL_optinteger(L, argument, 1);
    if (position > 0) return (size_t)position - 1;
    if (position == 0 || position < -(lua_Integer)size) return 0;
    return size - (size_t)-position;
}

static bool is_plain(const char *pattern, size_t size) {
    for (size_t i = 0; i < size; i++)
        if (pattern[i] && strchr("^$*+?.([%-", pattern[i])) return false;
    return true;
}

static int find_plain(lua_State *L, const char *text, size_t size, size_t offset,
                      const char *needle, size_t needle_size) {
    sandbox_charge(L, (int64_t)((size - offset) / SANDBOX_BYTES_PER_STEP));
    const char *found = memmem(text + offset, size - offset, needle, needle_size);
    if (!found) {
        lua_pushnil(L);
        return 1;
    }
    lua_pushinteger(L, found - text + 1);
    lua_pushinteger(L, found - text + (lua_Integer)needle_size);
    return 2;
}

/* find and match differ in what they answer. */
static int find_or_match(lua_State *L, bool find) {
    size_t size, pattern_size;
    const char *text = luaL_checklstring(L, 1, &size);
    const char *pattern = luaL_checklstring(L, 2, &pattern_size);
    size_t offset = start_offset(L, 3, size);
    const char *start = NULL, *end;
    if (offset <= size) {
        if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_size)))
            return find_plain(L, text, size, offset, pattern, pattern_size);
        struct search search;
        search_start(&search, text, size, pattern, pattern_size);
        search.from = text + offset;
        start = search_next(L, &search, &end);
        if (start && !find) return push_captures(L, &search.m, start, end, true);
        if (start) {
            lua_pushinteger(L, start - text + 1);
            lua_pushinteger(L, end - text);
            return 2 + push_captures(L, &search.m, start, end, false);
        }
    }
    lua_pushnil(L);
    return 1;
}

static int string_find(lua_State *L) { return find_or_match(L, true); }

static int string_match(lua_State *L) { return find_or_match(L, false); }

// --- gmatch --------------------------------------------------------------------------------

/* The iterator: upvalue 1 holds the search, 2 and 3 keep its strings alive. */
static int gmatch_next(lua_State *L) {
    struct search *search = lua_touserdata(L, lua_upvalueindex(1));
    const char *end, *start = search_next(L, search, &end);
    return start ? push_captures(L, &search->m, start, end, true) : 0;
}

static int string_gmatch(lua_State *L) {
    size_t size, pattern_size;
    const char *text = luaL_checklstring(L, 1, &size);
    const char *pattern = luaL_checklstring(L, 2, &pattern_size);
    size_t offset = start_offset(L, 3, size);
    lua_settop(L, 2);
    struct search *search = lua_newuserdatauv(L, sizeof *search, 0);
    search_start(search, text, size, pattern, pattern_size);
    search->anchored = false;  // in gmatch, ^ is a character as any other
    search->m.pattern = pattern;
    search->from = offset <= size ? text + offset : text + size + 1;
    lua_insert(L, 1);
    lua_pushcclosure(L, gmatch_next, 3);
    return 1;
}

// --- gsub ----------------------------------------------------------------------------------

/* Appends a replacement text with its %0 to %9 and %%. */
static void add_text(lua_State *L, luaL_Buffer *into, const struct pattern_match *m,
                     const char *start, const char *end) {
    size_t size;
    const char *text = lua_tolstring(L, 3, &size), *text_end = text + size;
    sandbox_charge(L, (int64_t)(size / SANDBOX_BYTES_PER_STEP));
    for (const char *p; (p = memchr(text, '%', (size_t)(text_end - text))); text = p + 1) {
        luaL_addlstring(into, text, (size_t)(p - text));
        p++;
        if (p < text_end && *p == '%') {
            luaL_addchar(into, '%');
        } else if (p < text_end && *p == '0') {
            luaL_addlstring(into, start, (size_t)(end - start));
        } else if (p < text_end && *p >= '1' && *p <= '9') {
            push_capture(L, m, *p - '1', start, end);
            luaL_tolstring(L, -1, NULL);  // a position is a number
            lua_remove(L, -2);
            luaL_addvalue(into);
        } else {
            luaL_error(L, "invalid use of '%%' in replacement string");
        }
    }
    luaL_addlstring(into, text, (size_t)(text_end - text));
}

/* Appends what stands for the match in gsub: text, table entry or function result. Returns
 * false when the match stays as it was. */
static bool add_replacement(lua_State *L, luaL_Buffer *into, const struct pattern_match *m,
                            const char *start, const char *end) {
    int type = lua_type(L, 3);
    if (type == LUA_TSTRING || type == LUA_TNUMBER) {
        add_text(L, into, m, start, end);
        return true;
    }
    if (type == LUA_TTABLE) {
        push_capture(L, m, 0, start, end);
        lua_gettable(L, 3);
    } else {
        lua_pushvalue(L, 3);
        lua_call(L, push_captures(L, m, start, end, true), 1);
    }
    if (!lua_toboolean(L, -1)) {
        lua_pop(L, 1);
        luaL_addlstring(into, start, (size_t)(end - start));
        return false;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
    luaL_addvalue(into);
    return true;
}

static void check_replacement(lua_State *L) {
    int type = lua_type(L, 3);
    bool fits = type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TTABLE ||
                type == LUA_TFUNCTION;
    luaL_argexpected(L, fits, 3, "string/function/table");
}

static int string_gsub(lua_State *L) {
    size_t size, pattern_size;
    const char *text = luaL_checklstring(L, 1, &size);
    const char *pattern = luaL_checklstring(L, 2, &pattern_size);
    check_replacement(L);
    lua_Integer limit = luaL_optinteger(L, 4, (lua_Integer)size + 1), count = 0;
    lua_settop(L, 3);

    struct search search;
    search_start(&search, text, size, pattern, pattern_size);
    luaL_Buffer into;
    luaL_buffinit(L, &into);
    const char *copied = text, *end, *start;
    while (count < limit && (start = search_next(L, &search, &end))) {
        luaL_addlstring(&into, copied, (size_t)(start - copied));
        add_replacement(L, &into, &search.m, start, end);
        copied = end;
        count++;
    }
    luaL_addlstring(&into, copied, (size_t)(text + size - copied));
    luaL_pushresult(&into);
    lua_pushinteger(L, count);
    return 2;
}

// --- rep and format ------------------------------------------------------------------------

/* rep(s, n, sep): Lua's loops n times even when nothing is to be copied. Upvalue 1 is it. */
static int string_rep(lua_State *L) {
    size_t size, separator_size = 0;
    luaL_checklstring(L, 1, &size);
    lua_Integer n = luaL_checkinteger(L, 2);
    if (!lua_isnoneornil(L, 3)) luaL_checklstring(L, 3, &separator_size);
    if (size + separator_size == 0) {
        lua_pushliteral(L, "");
        return 1;
    }
    sandbox_charge(L, n > 1 ? n / 8 : 1);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* format(...): Lua's, with the type's name for every value that Lua would print the address
 * of, and without %p. Upvalue 1 is Lua's own. */
static int string_format(lua_State *L) {
    size_t size;
    const char *format = luaL_checklstring(L, 1, &size);
    for (const char *p = format; (p = memchr(p, '%', (size_t)(format + size - p))); p++) {
        p += 1 + strspn(p + 1, "-+ #0123456789.");
        if (*p == 'p') return luaL_error(L, "invalid conversion '%%p' to 'format'");
        if (*p == '\0' && p == format + size) break;
    }
    for (int i = 2; i <= lua_gettop(L); i++) {
        int type = lua_type(L, i);
        if (type <= LUA_TSTRING && type != LUA_TLIGHTUSERDATA) continue;
        lua_pushstring(L, lua_typename(L, type));
        lua_replace(L, i);
    }
    sandbox_charge(L, (int64_t)(size / SANDBOX_BYTES_PER_STEP) + lua_gettop(L));
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

// --- opening -------------------------------------------------------------------------------

/* Puts `own` over the function of Lua's string library (on the top) that it wraps. */
static void wrap(lua_State *L, const char *name, lua_CFunction own) {
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, own, 1);
    lua_setfield(L, -3, name);
}

/* Strings find their methods in the library at the top, and nobody can change that. */
static void lock_metatable(lua_State *L) {
    lua_pushliteral(L, "");
    lua_getmetatable(L, -1);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable");
    lua_pop(L, 2);
}

void sandbox_open_string(lua_State *L) {
    static const char *const charged[] = {"byte",  "char",    "len", "lower",
                                          "upper", "reverse", "sub", NULL};
    static const luaL_Reg own[] = {{"find", string_find},
                                   {"gmatch", string_gmatch},
                                   {"gsub", string_gsub},
                                   {"match", string_match},
                                   {NULL, NULL}};
    sandbox_open_charged(L, luaopen_string, charged);
    luaL_setfuncs(L, own, 0);
    lua_pushcfunction(L, luaopen_string);
    lua_call(L, 0, 1);
    wrap(L, "rep", string_rep);
    wrap(L, "format", string_format);
    lua_pop(L, 1);
    lock_metatable(L);
}
