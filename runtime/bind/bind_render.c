/* bind/bind_render.c - require "runtime.render": templates of documents.
 *
 *     render.template(parts) -> template          frame:render(template) -> text, documents
 *
 * parts are an array of
 *     "text"                                      written as it is
 *     { "column" [, decimals =] [, missing =] }   a value; missing = what stands for none
 *                                                 ("null")
 *     { sum = { column = factor, ... }, plus = n }   an integer
 *     { when = condition, columns = { ... }, than = n, part, part, ... }
 *         the parts only where the condition holds: "present" (all have a value), "missing" (one
 *         has none), "any" (one is true), "above" and "below" (all are, than `than`, or 0)
 * A template that makes no sense raises: it is part of the program, not input. */
#include "bind/bind_render.h"

#include "bind/bind.h"
#include "bind/box.h"
#include <lauxlib.h>

#define TEMPLATE "runtime.render.template"
#define DEPTH_MAX 8

static const char *const conditions[] = {"present", "missing", "any", "above", "below", NULL};

static void check(lua_State *L, enum status status, const struct error *err) {
    if (status != STATUS_OK) luaL_error(L, "%s", err->reason);
}

const struct template *bind_render_check(lua_State *L, int at) {
    struct template **box = luaL_checkudata(L, at, TEMPLATE);
    luaL_argcheck(L, *box, at, "template is closed");
    return *box;
}

// { "column", decimals =, missing = } on top of the stack.
static void add_value(lua_State *L, struct template *t) {
    int top = lua_gettop(L);
    lua_geti(L, top, 1);
    lua_getfield(L, top, "decimals");
    lua_getfield(L, top, "missing");
    struct error err;
    check(L,
          template_value(t, luaL_checkstring(L, top + 1), (int)luaL_optinteger(L, top + 2, -1),
                         luaL_optstring(L, top + 3, NULL), &err),
          &err);
    lua_settop(L, top);
}

// The table of { column = factor } on top of the stack; its strings stay alive with it.
static void add_sum(lua_State *L, struct template *t, int64_t plus) {
    const char *columns[RENDER_COLUMNS_MAX];
    int64_t factors[RENDER_COLUMNS_MAX];
    size_t count = 0;
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (count == RENDER_COLUMNS_MAX || lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "a sum is { column = factor, ... }");
        columns[count] = lua_tostring(L, -2);
        factors[count++] = luaL_checkinteger(L, -1);
        lua_pop(L, 1);
    }
    struct error err;
    check(L, template_sum(t, plus, columns, factors, count, &err), &err);
}

static void add_parts(lua_State *L, struct template *t, int depth);

// { when =, columns =, than =, part, ... } on top of the stack, with `when` above it.
static void add_when(lua_State *L, struct template *t, int depth) {
    int part = lua_gettop(L) - 1;
    enum condition condition = (enum condition)luaL_checkoption(L, -1, NULL, conditions);
    lua_getfield(L, part, "than");
    double than = luaL_optnumber(L, -1, 0);
    const char *columns[RENDER_COLUMNS_MAX];
    if (lua_getfield(L, part, "columns") != LUA_TTABLE)
        luaL_error(L, "a condition has columns");
    size_t count = (size_t)luaL_len(L, -1);
    if (count > RENDER_COLUMNS_MAX) luaL_error(L, "a condition has too many columns");
    for (size_t i = 0; i < count; i++) {
        lua_geti(L, -1, (lua_Integer)i + 1);
        columns[i] = luaL_checkstring(L, -1);
        lua_pop(L, 1);
    }
    size_t at;
    struct error err;
    check(L, template_when(t, condition, than, columns, count, &at, &err), &err);
    lua_settop(L, part);
    add_parts(L, t, depth + 1);
    template_end(t, at);
}

// The part on top of the stack, a string or a table.
static void add_part(lua_State *L, struct template *t, int depth) {
    int top = lua_gettop(L);
    struct error err;
    size_t size;
    if (lua_type(L, top) == LUA_TSTRING) {
        const char *text = lua_tolstring(L, top, &size);
        check(L, template_literal(t, text, size, &err), &err);
    } else if (lua_type(L, top) != LUA_TTABLE) {
        luaL_error(L, "a part of a template is a string or a table");
    } else if (lua_getfield(L, top, "when") != LUA_TNIL) {
        add_when(L, t, depth);
    } else if (lua_getfield(L, top, "sum") == LUA_TTABLE) {
        lua_getfield(L, top, "plus");
        int64_t plus = luaL_optinteger(L, -1, 0);
        lua_pop(L, 1);
        add_sum(L, t, plus);
    } else {
        lua_settop(L, top);
        add_value(L, t);
    }
    lua_settop(L, top);
}

// The parts of the array on top of the stack.
static void add_parts(lua_State *L, struct template *t, int depth) {
    if (depth > DEPTH_MAX) luaL_error(L, "a template nests too deeply");
    luaL_checkstack(L, 16, "a template nests too deeply");
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        add_part(L, t, depth);
        lua_pop(L, 1);
    }
}

static int bind_render_template(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    struct template **box = (struct template **)box_new(L, TEMPLATE);
    *box = template_new();
    if (!*box) return luaL_error(L, "no memory for a template");
    lua_pushvalue(L, 1);
    add_parts(L, *box, 0);
    lua_settop(L, 2);
    return 1;
}

static int bind_render_release(lua_State *L) {
    struct template **box = luaL_checkudata(L, 1, TEMPLATE);
    template_free(*box);
    *box = NULL;
    return 0;
}

int luaopen_runtime_render(lua_State *L) {
    box_class(L, TEMPLATE, NULL, bind_render_release);
    static const luaL_Reg functions[] = {{"template", bind_render_template}, {NULL, NULL}};
    luaL_newlib(L, functions);
    return 1;
}
