/* bind/bind_tree_parts.c - require "runtime.tree_parts": a job's tree of results by itself, for
 * specs.
 *
 *     parts.tree{ bucket_span_s =, influencers = {}, detectors = { { "mean", field =, by =,
 *             over =, partition = }, ... } }[, bytes] -> t | nil, err
 *     t:close({ { detector = 1, partition = "eu", person = "ann", p =, unlearned =,
 *             influences = { { influencer = 1, value = "web-1", p = }, ... } }, ... }
 *             [, { interim =, limit =, seen = { values, ... } }])
 *         -> { root =, score =, changed =, leaves = {}, records = { leaf, ... },
 *              partitions = {}, pivots = {}, pivot_roots = {} } | nil, err
 *         results: { p =, raw =, score =, written = }; nodes also have influencer and leaf
 *     t:rescore{ level = "record", detector =, partition =, person =, influencer =, value =,
 *             p = } -> score
 *     t:save() -> bytes      parts.moved(stored, now) -> boolean */
#include "bind/bind.h"
#include "bind/box.h"
#include "job/job.h"
#include "job/tree.h"
#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#define TREE "runtime.tree_parts.tree"

struct tree_box {
    struct analysis *analysis;
    struct tree *tree;
};

static int release(lua_State *L) {
    struct tree_box *box = luaL_checkudata(L, 1, TREE);
    tree_free(box->tree);
    analysis_free(box->analysis);
    *box = (struct tree_box){0};
    return 0;
}

static struct tree *check_tree(lua_State *L) {
    struct tree_box *box = luaL_checkudata(L, 1, TREE);
    return box->tree;
}

// --- reading tables --------------------------------------------------------------------------

/* The text of a field of the table on top, or NULL; it lives as long as the table. */
static const char *text_field(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    const char *text = lua_isnil(L, -1) ? NULL : luaL_checkstring(L, -1);
    lua_pop(L, 1);
    return text;
}

static double number_field(lua_State *L, const char *name, double otherwise) {
    lua_getfield(L, -1, name);
    double value = luaL_optnumber(L, -1, otherwise);
    lua_pop(L, 1);
    return value;
}

static bool flag_field(lua_State *L, const char *name) {
    lua_getfield(L, -1, name);
    bool value = lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

static uint64_t key_field(lua_State *L, const char *name) {
    const char *text = text_field(L, name);
    return text ? job_text_key((struct text){text, strlen(text)}) : 0;
}

/* A place counted from 1 in Lua, from 0 in C. */
static uint32_t place_field(lua_State *L, const char *name) {
    return (uint32_t)number_field(L, name, 1) - 1;
}

// --- building --------------------------------------------------------------------------------

static enum status add_detector(lua_State *L, struct analysis *a, struct error *err) {
    struct detector *d;
    lua_geti(L, -1, 1);
    enum status status = analysis_add_detector(a, luaL_checkstring(L, -1), &d, err);
    lua_pop(L, 1);
    if (status == STATUS_OK) status = analysis_set_text(&d->field, text_field(L, "field"), err);
    if (status == STATUS_OK) status = analysis_set_text(&d->by, text_field(L, "by"), err);
    if (status == STATUS_OK) status = analysis_set_text(&d->over, text_field(L, "over"), err);
    if (status == STATUS_OK)
        status = analysis_set_text(&d->partition, text_field(L, "partition"), err);
    return status;
}

static enum status fill_analysis(lua_State *L, struct analysis *a, struct error *err) {
    lua_settop(L, 3);  // options, bytes, owner
    lua_pushvalue(L, 1);
    a->bucket_span_s = (int64_t)number_field(L, "bucket_span_s", 300);
    enum status status = STATUS_OK;
    lua_getfield(L, 1, "influencers");
    for (lua_Integer i = 1; lua_istable(L, -1) && lua_geti(L, -1, i) != LUA_TNIL; i++) {
        if (status == STATUS_OK) status = analysis_add_influencer(a, lua_tostring(L, -1), err);
        lua_pop(L, 1);
    }
    lua_settop(L, 3);
    lua_getfield(L, 1, "detectors");
    luaL_checktype(L, -1, LUA_TTABLE);
    for (lua_Integer i = 1; lua_geti(L, 4, i) != LUA_TNIL; i++) {
        if (status == STATUS_OK) status = add_detector(L, a, err);
        lua_settop(L, 4);
    }
    return status;
}

static int bind_tree_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t size = 0;
    const char *bytes = luaL_optlstring(L, 2, NULL, &size);
    lua_settop(L, 2);
    struct tree_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct tree_box){0};
    luaL_setmetatable(L, TREE);
    struct error err = {0};
    box->analysis = analysis_new("spec");
    enum status status =
        box->analysis ? STATUS_OK : fail(&err, STATUS_NO_MEMORY, "no memory for a job");
    if (status == STATUS_OK) status = fill_analysis(L, box->analysis, &err);
    if (status == STATUS_OK) status = tree_new(box->analysis, &box->tree, &err);
    if (status == STATUS_OK && bytes) {
        struct unpack from = {.bytes = (const uint8_t *)bytes, .size = size};
        status = tree_load(box->tree, &from, &err);
    }
    if (status != STATUS_OK) return bind_fail(L, &err);
    lua_settop(L, 3);
    return 1;
}

// --- a bucket --------------------------------------------------------------------------------

#define MOST_INFLUENCES 64

static size_t read_influences(lua_State *L, struct tree_influence *influences) {
    size_t count = 0;
    lua_getfield(L, -1, "influences");
    for (; lua_istable(L, -1) && count < MOST_INFLUENCES; count++) {
        if (lua_geti(L, -1, (lua_Integer)count + 1) == LUA_TNIL) {
            lua_pop(L, 1);
            break;
        }
        influences[count] = (struct tree_influence){
            place_field(L, "influencer"), key_field(L, "value"), number_field(L, "p", 1)};
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

static enum status add_leaves(lua_State *L, struct tree *t, struct error *err) {
    struct tree_influence influences[MOST_INFLUENCES];
    enum status status = STATUS_OK;
    for (lua_Integer i = 1; status == STATUS_OK && lua_geti(L, 2, i) != LUA_TNIL; i++) {
        size_t count = read_influences(L, influences);
        struct tree_leaf leaf = {
            .detector = place_field(L, "detector"),
            .partition = key_field(L, "partition"),
            .person = key_field(L, "person"),
            .p = number_field(L, "p", 1),
            .influences = influences,
            .influence_count = count,
            .unlearned = flag_field(L, "unlearned"),
        };
        status = tree_add(t, &leaf, err);
        lua_settop(L, 3);
    }
    lua_settop(L, 3);
    return status;
}

static enum status read_seen(lua_State *L, struct tree *t, struct error *err) {
    enum status status = STATUS_OK;
    lua_getfield(L, 3, "seen");
    for (lua_Integer i = 1; lua_istable(L, -1) && lua_geti(L, -1, i) != LUA_TNIL; i++) {
        status = tree_see(t, (uint32_t)i - 1, (size_t)luaL_checkinteger(L, -1), err);
        lua_pop(L, 1);
    }
    lua_settop(L, 3);
    return status;
}

// --- results ---------------------------------------------------------------------------------

static void push_result(lua_State *L, struct tree_result r) {
    lua_createtable(L, 0, 6);
    lua_pushnumber(L, r.p);
    lua_setfield(L, -2, "p");
    lua_pushnumber(L, r.raw);
    lua_setfield(L, -2, "raw");
    lua_pushnumber(L, r.score);
    lua_setfield(L, -2, "score");
    lua_pushboolean(L, r.written);
    lua_setfield(L, -2, "written");
}

static void set_nodes(lua_State *L, const char *name, const struct tree_node *nodes,
                      size_t count) {
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        push_result(L, nodes[i].result);
        lua_pushinteger(L, (lua_Integer)nodes[i].field + 1);
        lua_setfield(L, -2, "influencer");
        lua_pushinteger(L, (lua_Integer)nodes[i].leaf + 1);
        lua_setfield(L, -2, "leaf");
        lua_pushinteger(L, (lua_Integer)nodes[i].influence + 1);
        lua_setfield(L, -2, "influence");
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

static void set_leaves(lua_State *L, const struct tree *t) {
    lua_newtable(L);
    for (size_t i = 0; i < tree_leaf_count(t); i++) {
        push_result(L, tree_leaf_result(t, i));
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "leaves");
    size_t count;
    const size_t *records = tree_records(t, &count);
    lua_newtable(L);
    for (size_t i = 0; i < count; i++) {
        lua_pushinteger(L, (lua_Integer)records[i] + 1);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "records");
}

static void push_bucket(lua_State *L, const struct tree *t) {
    size_t count;
    const struct tree_node *nodes;
    lua_newtable(L);
    push_result(L, tree_root(t));
    lua_setfield(L, -2, "root");
    lua_pushnumber(L, tree_score(t));
    lua_setfield(L, -2, "score");
    lua_pushboolean(L, tree_scores_changed(t));
    lua_setfield(L, -2, "changed");
    set_leaves(L, t);
    nodes = tree_partitions(t, &count);
    set_nodes(L, "partitions", nodes, count);
    nodes = tree_pivots(t, &count);
    set_nodes(L, "pivots", nodes, count);
    nodes = tree_pivot_roots(t, &count);
    set_nodes(L, "pivot_roots", nodes, count);
}

static int bind_tree_close(lua_State *L) {
    struct tree *t = check_tree(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 3);
    if (lua_isnil(L, 3)) {
        lua_newtable(L);
        lua_replace(L, 3);
    }
    struct error err;
    tree_clear(t);
    enum status status = add_leaves(L, t, &err);
    if (status == STATUS_OK) status = read_seen(L, t, &err);
    if (status != STATUS_OK) return bind_fail(L, &err);
    bool interim = flag_field(L, "interim");
    status = tree_close(t, interim, (size_t)number_field(L, "limit", 0), &err);
    if (status != STATUS_OK) return bind_fail(L, &err);
    push_bucket(L, t);
    return 1;
}

// --- what lasts ------------------------------------------------------------------------------

static int bind_tree_rescore(lua_State *L) {
    static const char *const levels[] = {
        "bucket", "record", "partition", "bucket_influencer", "influencer", NULL};
    struct tree *t = check_tree(L);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 2);
    lua_getfield(L, 2, "level");
    enum tree_level level = (enum tree_level)luaL_checkoption(L, -1, NULL, levels);
    lua_settop(L, 2);
    struct tree_place place = {
        .level = level,
        .detector = place_field(L, "detector"),
        .field = place_field(L, "influencer"),
        .partition = key_field(L, "partition"),
        .person = key_field(L, "person"),
        .value = key_field(L, "value"),
    };
    lua_pushnumber(L, tree_rescore(t, &place, number_field(L, "p", 1)));
    return 1;
}

static int bind_tree_save(lua_State *L) {
    struct tree *t = check_tree(L);
    struct pack size = {0};
    tree_save(t, &size);
    uint8_t *bytes = box_scratch(L, size.size);
    struct pack to = {.bytes = bytes, .capacity = size.size};
    tree_save(t, &to);
    lua_pushlstring(L, (const char *)bytes, to.size);
    return 1;
}

static int bind_moved(lua_State *L) {
    lua_pushboolean(L, tree_score_moved(luaL_checknumber(L, 1), luaL_checknumber(L, 2)));
    return 1;
}

int luaopen_runtime_tree_parts(lua_State *L) {
    static const luaL_Reg methods[] = {{"close", bind_tree_close},
                                       {"rescore", bind_tree_rescore},
                                       {"save", bind_tree_save},
                                       {NULL, NULL}};
    static const luaL_Reg functions[] = {
        {"tree", bind_tree_new}, {"moved", bind_moved}, {NULL, NULL}};
    box_class(L, TREE, methods, release);
    luaL_newlib(L, functions);
    return 1;
}
