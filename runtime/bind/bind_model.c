/* bind/bind_model.c - require "runtime.model": models and sets of them for Lua.
 *
 *     model.new(options) -> m | nil, err       options: see model_options.h
 *     model.load(bytes) -> m | nil, err
 *     m:push(time_ms or nil, { value, ... }) -> verdict | nil, err     NaN or nil = missing
 *         { scored =, score =, grade =, confidence =, threshold =, probability =,
 *           start_index =, cause =, cause_feature =, cause_rows =, cause_lag =,
 *           cause_amount =, cause_distance =, expected = {}, lower = {}, upper = {},
 *           contribution = {}, past = {}, imputed = {} }
 *     m:save() -> bytes
 *     m:rows()    m:size()
 *
 *     model.set_new(options) -> set | nil, err     options also: threads =
 *     set:score(frame, { features = { column, ... }, entity = { column, ... } }) -> set
 *     set:absent(frame, columns) -> { key, ... }   entities of the frame without a model here
 *     set:load(key, bytes[, position_ms]) -> set   rows up to the position are passed over
 *     set:save(keep[, budget_bytes[, most]]) -> count
 *         calls keep(key, bytes) for models that changed, in turn, until the budget is spent or
 *         `most` are saved; what keep returns as nil, err stops it and is returned
 *     set:unsaved_from() -> ms    rows from there on are in no saved model; nil = all are
 *     set:keys() -> { key, ... }  entities with a model
 *     set:trim(budget_bytes) -> number of models forgotten
 *     set:count()    set:size()    set:close()
 *
 *     model.borrow(key) -> set | nil, err     err.kind is "not_found" or "busy"
 *     model.give_back(key, set)               the set is then closed here, and at home there
 *     model.drop(key)                         forgets it
 * A borrowed set that is collected or closed is dropped: the next borrower finds none. */
#include "bind/bind.h"

#include "bind/bind_frame.h"
#include "bind/box.h"
#include "bind/model_options.h"
#include "model/model_registry.h"
#include "model/model_table.h"
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MODEL "runtime.model"
#define MODEL_SET "runtime.model.set"
#define MODEL_TABLE "runtime.model.table"
#define SCRATCH "runtime.model.scratch"

// --- scratch memory that Lua frees whatever happens ------------------------------------------

struct scratch {
    uint8_t *bytes;
    size_t size;
};

static struct scratch *push_scratch(lua_State *L) {
    struct scratch *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct scratch){0};
    luaL_setmetatable(L, SCRATCH);
    return box;
}

static int scratch_release(lua_State *L) {
    struct scratch *box = luaL_checkudata(L, 1, SCRATCH);
    free(box->bytes);
    *box = (struct scratch){0};
    return 0;
}

// Scratch memory of at least `size` bytes; what it held may be lost.
static uint8_t *grow_scratch(lua_State *L, struct scratch *box, size_t size) {
    if (size <= box->size) return box->bytes;
    uint8_t *bytes = realloc(box->bytes, size);
    if (!bytes) luaL_error(L, "no memory for a model of %d bytes", (int)size);
    box->bytes = bytes;
    box->size = size;
    return bytes;
}

// --- one model -------------------------------------------------------------------------------

static struct model **push_model_box(lua_State *L) {
    struct model **box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = NULL;
    luaL_setmetatable(L, MODEL);
    return box;
}

static struct model *check_model(lua_State *L) {
    struct model **box = luaL_checkudata(L, 1, MODEL);
    luaL_argcheck(L, *box, 1, "model is closed");
    return *box;
}

static int bind_model_new(lua_State *L) {
    struct model_options options = bind_check_model_options(L, 1);
    struct model **box = push_model_box(L);
    struct error err;
    if (model_new(&options, box, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int bind_model_load(lua_State *L) {
    size_t size;
    const char *bytes = luaL_checklstring(L, 1, &size);
    struct model **box = push_model_box(L);
    struct error err;
    if (model_load((const uint8_t *)bytes, size, box, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return 1;
}

static int bind_model_release(lua_State *L) {
    struct model **box = luaL_checkudata(L, 1, MODEL);
    model_free(*box);
    *box = NULL;
    return 0;
}

static void set_number(lua_State *L, const char *name, double value) {
    lua_pushnumber(L, value);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, lua_Integer value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_array(lua_State *L, const char *name, const double *values, size_t count) {
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushnumber(L, values[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, name);
}

// Sets the fields of the cause in the table on top; only "cause" when there is none.
static void push_cause(lua_State *L, const struct verdict *v) {
    set_integer(L, "cause", v->cause);
    if (v->cause == MODEL_CAUSE_NONE) return;
    set_integer(L, "cause_feature", v->cause_feature + 1);
    set_integer(L, "cause_rows", v->cause_rows);
    set_integer(L, "cause_lag", v->cause_lag);
    set_number(L, "cause_amount", v->cause_amount);
    set_number(L, "cause_distance", v->cause_distance);
}

static void push_verdict(lua_State *L, const struct verdict *v, size_t features) {
    lua_createtable(L, 0, 19);
    lua_pushboolean(L, v->scored);
    lua_setfield(L, -2, "scored");
    set_number(L, "score", v->score);
    set_number(L, "grade", v->grade);
    set_number(L, "confidence", v->confidence);
    set_number(L, "threshold", v->threshold);
    set_number(L, "probability", v->probability);
    set_integer(L, "start_index", v->relative_index);
    push_cause(L, v);
    if (v->has_expected) {
        set_array(L, "expected", v->expected, features);
        set_array(L, "lower", v->lower, features);
        set_array(L, "upper", v->upper, features);
    }
    if (v->grade > 0) set_array(L, "contribution", v->contribution, features);
    if (v->has_past) set_array(L, "past", v->past, features);
    lua_createtable(L, (int)features, 0);
    for (size_t i = 0; i < features; i++) {
        lua_pushboolean(L, v->imputed[i]);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    lua_setfield(L, -2, "imputed");
}

static int bind_model_push(lua_State *L) {
    struct model *m = check_model(L);
    int64_t time_ms = luaL_optinteger(L, 2, MODEL_NO_TIME);
    luaL_checktype(L, 3, LUA_TTABLE);
    size_t features = model_options(m)->features;
    double values[MODEL_MAX_FEATURES], out[5][MODEL_MAX_FEATURES];
    uint8_t imputed[MODEL_MAX_FEATURES];
    for (size_t i = 0; i < features; i++) {
        values[i] =
            lua_geti(L, 3, (lua_Integer)i + 1) == LUA_TNIL ? NAN : luaL_checknumber(L, -1);
        lua_pop(L, 1);
    }
    struct verdict v = {.expected = out[0],
                        .lower = out[1],
                        .upper = out[2],
                        .contribution = out[3],
                        .past = out[4],
                        .imputed = imputed};
    struct error err;
    if (model_push(m, time_ms, values, &v, &err) != STATUS_OK) return bind_fail(L, &err);
    push_verdict(L, &v, features);
    return 1;
}

static int bind_model_save(lua_State *L) {
    const struct model *m = check_model(L);
    struct error err;
    size_t size;
    (void)model_save(m, NULL, 0, &size, &err);  // tells the size
    uint8_t *bytes = grow_scratch(L, push_scratch(L), size);
    if (model_save(m, bytes, size, &size, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_pushlstring(L, (const char *)bytes, size);
    return 1;
}

static int bind_model_rows(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)model_rows(check_model(L)));
    return 1;
}

static int bind_model_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)model_size_bytes(check_model(L)));
    return 1;
}

// --- a set of models -------------------------------------------------------------------------

struct set_box {
    struct model_set *set;
    char *loan;  // the key it was borrowed under; NULL when it is Lua's own
};

static struct set_box *push_set_box(lua_State *L) {
    struct set_box *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = (struct set_box){0};
    luaL_setmetatable(L, MODEL_SET);
    return box;
}

static struct model_set *check_set(lua_State *L, int at) {
    struct set_box *box = luaL_checkudata(L, at, MODEL_SET);
    luaL_argcheck(L, box->set, at, "model set is closed");
    return box->set;
}

static int bind_set_new(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_getfield(L, 1, "threads");
    lua_Integer threads = luaL_optinteger(L, -1, 0);
    luaL_argcheck(L, threads >= 0 && threads <= 1024, 1, "threads must be 0 to 1024");
    struct model_options options = bind_check_model_options(L, 1);
    struct set_box *box = push_set_box(L);
    struct error err;
    if (model_set_new(&options, (size_t)threads, &box->set, &err) != STATUS_OK)
        return bind_fail(L, &err);
    return 1;
}

static int bind_set_release(lua_State *L) {
    struct set_box *box = luaL_checkudata(L, 1, MODEL_SET);
    if (box->loan) model_registry_drop(box->loan);
    free(box->loan);
    model_set_free(box->set);
    *box = (struct set_box){0};
    return 0;
}

// The strings of the array in field `name` of the table at `at`; they stay alive with it.
static size_t check_names(lua_State *L, int at, const char *name,
                          const char *names[MODEL_MAX_FEATURES]) {
    int type = lua_getfield(L, at, name);
    size_t count = type == LUA_TNIL ? 0 : (size_t)luaL_len(L, -1);
    if (count > MODEL_MAX_FEATURES) luaL_error(L, "too many columns in '%s'", name);
    for (size_t i = 0; i < count; i++) {
        if (lua_geti(L, -1, (lua_Integer)i + 1) != LUA_TSTRING)
            luaL_error(L, "'%s' must hold the names of columns", name);
        names[i] = lua_tostring(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

struct names {
    const char *features[MODEL_MAX_FEATURES], *entity[MODEL_MAX_FEATURES];
};

static struct model_set_columns check_columns(lua_State *L, int at, struct names *names) {
    luaL_checktype(L, at, LUA_TTABLE);
    return (struct model_set_columns){
        .feature_count = check_names(L, at, "features", names->features),
        .features = names->features,
        .entity_count = check_names(L, at, "entity", names->entity),
        .entity = names->entity,
    };
}

static int bind_set_score(lua_State *L) {
    struct model_set *set = check_set(L, 1);
    struct frame *f = bind_frame_check(L, 2);
    struct names names;
    struct model_set_columns columns = check_columns(L, 3, &names);
    struct error err;
    if (model_set_score(set, f, &columns, &err) != STATUS_OK) return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

static int bind_set_absent(lua_State *L) {
    struct model_set *set = check_set(L, 1);
    struct frame *f = bind_frame_check(L, 2);
    struct names names;
    struct model_set_columns columns = check_columns(L, 3, &names);
    struct model_table *absent = lua_newuserdatauv(L, sizeof *absent, 0);
    *absent = (struct model_table){0};
    luaL_setmetatable(L, MODEL_TABLE);
    struct error err;
    if (model_set_absent(set, f, &columns, absent, &err) != STATUS_OK)
        return bind_fail(L, &err);
    lua_createtable(L, (int)absent->count, 0);
    for (size_t i = 0; i < absent->count; i++) {
        lua_pushlstring(L, absent->slots[i].key, absent->slots[i].key_size);
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static int table_release(lua_State *L) {
    model_table_free(luaL_checkudata(L, 1, MODEL_TABLE));
    return 0;
}

static int bind_set_load(lua_State *L) {
    struct model_set *set = check_set(L, 1);
    size_t key_size, size;
    const char *key = luaL_checklstring(L, 2, &key_size);
    const char *bytes = luaL_checklstring(L, 3, &size);
    int64_t position_ms = luaL_optinteger(L, 4, INT64_MIN);
    struct error err;
    if (model_set_load(set, key, key_size, (const uint8_t *)bytes, size, position_ms, &err) !=
        STATUS_OK)
        return bind_fail(L, &err);
    lua_settop(L, 1);
    return 1;
}

// Pushes the bytes of the model at position `at` of the set.
static bool push_saved(lua_State *L, struct model_set *set, size_t at, struct scratch *box,
                       struct error *err) {
    size_t size;
    enum status status = model_set_save(set, at, box->bytes, box->size, &size, err);
    if (status == STATUS_TOO_LARGE) {
        uint8_t *bytes = grow_scratch(L, box, size);
        status = model_set_save(set, at, bytes, size, &size, err);
    }
    if (status != STATUS_OK) return false;
    lua_pushlstring(L, (const char *)box->bytes, size);
    return true;
}

static int bind_set_save(lua_State *L) {
    struct model_set *set = check_set(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_Integer budget = luaL_optinteger(L, 3, LUA_MAXINTEGER), count = 0;
    lua_Integer most = luaL_optinteger(L, 4, LUA_MAXINTEGER);
    lua_settop(L, 2);
    struct scratch *box = push_scratch(L);
    const char *key;
    size_t key_size, at;
    while (budget > 0 && count < most && model_set_next_changed(set, &at, &key, &key_size)) {
        struct error err;
        lua_pushvalue(L, 2);
        lua_pushlstring(L, key, key_size);
        if (!push_saved(L, set, at, box, &err)) return bind_fail(L, &err);
        budget -= (lua_Integer)lua_rawlen(L, -1);
        lua_call(L, 2, 2);
        if (lua_isnil(L, -2) && !lua_isnil(L, -1)) return 2;  // nil, err of the function
        lua_pop(L, 2);
        model_set_saved(set, at);
        count++;
    }
    lua_pushinteger(L, count);
    return 1;
}

// The keys of a set go into an array: pushing a string may raise, but owns nothing.
static void push_key(void *context, const char *entity, size_t size) {
    lua_State *L = context;
    lua_pushlstring(L, entity, size);
    lua_seti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
}

static int bind_set_keys(lua_State *L) {
    struct model_set *set = check_set(L, 1);
    lua_newtable(L);
    model_set_each(set, push_key, L);
    return 1;
}

static int bind_set_unsaved_from(lua_State *L) {
    int64_t from = model_set_unsaved_from(check_set(L, 1));
    if (from == INT64_MAX)
        lua_pushnil(L);
    else
        lua_pushinteger(L, from);
    return 1;
}

static int bind_set_trim(lua_State *L) {
    lua_Integer budget = luaL_checkinteger(L, 2);
    luaL_argcheck(L, budget >= 0, 2, "a budget is not negative");
    lua_pushinteger(L, (lua_Integer)model_set_trim(check_set(L, 1), (size_t)budget));
    return 1;
}

static int bind_set_count(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)model_set_count(check_set(L, 1)));
    return 1;
}

static int bind_set_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)model_set_size_bytes(check_set(L, 1)));
    return 1;
}

// --- the registry ----------------------------------------------------------------------------

static int bind_borrow(lua_State *L) {
    const char *key = luaL_checkstring(L, 1);
    struct set_box *box = push_set_box(L);
    struct error err;
    box->loan = strdup(key);
    if (!box->loan) return luaL_error(L, "no memory for a key");
    if (model_registry_borrow(key, &box->set, &err) == STATUS_OK) return 1;
    free(box->loan);  // nothing is lent: releasing the box must not end another's loan
    box->loan = NULL;
    return bind_fail(L, &err);
}

static int bind_give_back(lua_State *L) {
    const char *key = luaL_checkstring(L, 1);
    struct set_box *box = luaL_checkudata(L, 2, MODEL_SET);
    luaL_argcheck(L, box->set, 2, "model set is closed");
    luaL_argcheck(L, !box->loan || strcmp(box->loan, key) == 0, 1, "set has another key");
    struct error err;
    if (model_registry_give_back(key, box->set, &err) != STATUS_OK) return bind_fail(L, &err);
    free(box->loan);
    *box = (struct set_box){0};
    lua_pushboolean(L, true);
    return 1;
}

static int bind_drop(lua_State *L) {
    model_registry_drop(luaL_checkstring(L, 1));
    return 0;
}

static int bind_registry_size(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)model_registry_size_bytes());
    return 1;
}

int luaopen_runtime_model(lua_State *L) {
    static const luaL_Reg model_methods[] = {{"push", bind_model_push},
                                             {"save", bind_model_save},
                                             {"rows", bind_model_rows},
                                             {"size", bind_model_size},
                                             {NULL, NULL}};
    static const luaL_Reg set_methods[] = {{"score", bind_set_score},
                                           {"absent", bind_set_absent},
                                           {"load", bind_set_load},
                                           {"save", bind_set_save},
                                           {"keys", bind_set_keys},
                                           {"unsaved_from", bind_set_unsaved_from},
                                           {"trim", bind_set_trim},
                                           {"count", bind_set_count},
                                           {"size", bind_set_size},
                                           {"close", bind_set_release},
                                           {NULL, NULL}};
    static const luaL_Reg functions[] = {{"new", bind_model_new},
                                         {"load", bind_model_load},
                                         {"set_new", bind_set_new},
                                         {"borrow", bind_borrow},
                                         {"give_back", bind_give_back},
                                         {"drop", bind_drop},
                                         {"registry_size", bind_registry_size},
                                         {NULL, NULL}};
    box_class(L, SCRATCH, NULL, scratch_release);
    box_class(L, MODEL_TABLE, NULL, table_release);
    box_class(L, MODEL, model_methods, bind_model_release);
    box_class(L, MODEL_SET, set_methods, bind_set_release);
    luaL_newlib(L, functions);
    return 1;
}
