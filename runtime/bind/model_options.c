/* bind/model_options.c - see model_options.h. */
#include "bind/model_options.h"

#include "model/model_class.h"
#include <lauxlib.h>
#include <string.h>

// By enum transform_method and enum impute_method.
static const char *const transforms[] = {"none",       "subtract_mean",        "normalize",
                                         "difference", "normalize_difference", NULL};
static const char *const imputes[] = {"none", "zero", "fixed", "previous", "forest", NULL};

static size_t check_size(lua_State *L, const char *name) {
    int is_integer;
    lua_Integer value = lua_tointegerx(L, -1, &is_integer);
    if (!is_integer || value < 0)
        luaL_error(L, "option '%s' must be a whole number, not %s", name,
                   luaL_tolstring(L, -1, NULL));
    return (size_t)value;
}

static double check_number(lua_State *L, const char *name) {
    int is_number;
    double value = lua_tonumberx(L, -1, &is_number);
    if (!is_number)
        luaL_error(L, "option '%s' must be a number, not %s", name,
                   luaL_tolstring(L, -1, NULL));
    return value;
}

static bool check_boolean(lua_State *L, const char *name) {
    if (!lua_isboolean(L, -1))
        luaL_error(L, "option '%s' must be true or false, not %s", name,
                   luaL_tolstring(L, -1, NULL));
    return lua_toboolean(L, -1);
}

static int check_word(lua_State *L, const char *name, const char *const words[]) {
    const char *value = lua_tostring(L, -1);
    for (int i = 0; value && words[i]; i++)
        if (strcmp(value, words[i]) == 0) return i;
    return luaL_error(L, "option '%s' cannot be %s", name, luaL_tolstring(L, -1, NULL));
}

static void check_table(lua_State *L, const char *name) {
    if (!lua_istable(L, -1)) luaL_error(L, "option '%s' must be a table", name);
}

static double check_field(lua_State *L, const char *name) {
    double value = 0;
    if (lua_getfield(L, -1, name) != LUA_TNIL) value = check_number(L, name);
    lua_pop(L, 1);
    return value;
}

static void check_fixed(lua_State *L, struct model_options *o) {
    check_table(L, "fixed");
    for (size_t i = 0; i < o->features && i < MODEL_MAX_FEATURES; i++) {
        if (lua_geti(L, -1, (lua_Integer)i + 1) != LUA_TNIL)
            o->fixed[i] = check_number(L, "fixed");
        lua_pop(L, 1);
    }
}

static void check_ignore(lua_State *L, struct model_options *o) {
    check_table(L, "ignore");
    for (size_t i = 0; i < o->features && i < MODEL_MAX_FEATURES; i++) {
        if (lua_geti(L, -1, (lua_Integer)i + 1) == LUA_TTABLE)
            o->ignore[i] = (struct ignore_near){.above = check_field(L, "above"),
                                                .below = check_field(L, "below"),
                                                .above_ratio = check_field(L, "above_ratio"),
                                                .below_ratio = check_field(L, "below_ratio")};
        lua_pop(L, 1);
    }
}

static bool check_size_option(lua_State *L, const char *name, struct model_options *o) {
    const struct {
        const char *name;
        size_t *to;
    } sizes[] = {{"shingle", &o->shingle},
                 {"trees", &o->trees},
                 {"samples", &o->samples},
                 {"history", &o->history},
                 {"output_after", &o->output_after}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        if (strcmp(name, sizes[i].name) != 0) continue;
        *sizes[i].to = check_size(L, name);
        return true;
    }
    return false;
}

static bool check_number_option(lua_State *L, const char *name, struct model_options *o) {
    const struct {
        const char *name;
        double *to;
    } numbers[] = {{"time_decay", &o->time_decay},
                   {"initial_accept", &o->initial_accept},
                   {"z_factor", &o->z_factor},
                   {"anomaly_rate", &o->anomaly_rate},
                   {"sensitivity", &o->sensitivity}};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        if (strcmp(name, numbers[i].name) != 0) continue;
        *numbers[i].to = check_number(L, name);
        return true;
    }
    return false;
}

// The value of the option is on top of the stack.
static void check_option(lua_State *L, const char *name, struct model_options *o) {
    if (strcmp(name, "kind") == 0 || strcmp(name, "features") == 0 ||
        strcmp(name, "threads") == 0)  // read before, or by the binding of sets
        return;
    if (strcmp(name, "interval_ms") == 0)
        o->interval_ms = (int64_t)check_size(L, name);
    else if (strcmp(name, "seed") == 0)
        o->seed = (uint64_t)check_size(L, name);
    else if (strcmp(name, "auto_adjust") == 0)
        o->auto_adjust = check_boolean(L, name);
    else if (strcmp(name, "alert_once") == 0)
        o->alert_once = check_boolean(L, name);
    else if (strcmp(name, "transform") == 0)
        o->transform = (enum transform_method)check_word(L, name, transforms);
    else if (strcmp(name, "impute") == 0)
        o->impute = (enum impute_method)check_word(L, name, imputes);
    else if (strcmp(name, "fixed") == 0)
        check_fixed(L, o);
    else if (strcmp(name, "ignore") == 0)
        check_ignore(L, o);
    else if (!check_size_option(L, name, o) && !check_number_option(L, name, o))
        luaL_error(L, "a model has no option '%s'", name);
}

struct model_options bind_check_model_options(lua_State *L, int at) {
    luaL_checktype(L, at, LUA_TTABLE);
    lua_getfield(L, at, "kind");
    const char *name = luaL_optstring(L, -1, "forest");
    int kind = model_kind_named(name);
    if (kind < 0) luaL_error(L, "there is no model of kind '%s'", name);
    size_t features = 1;
    if (lua_getfield(L, at, "features") != LUA_TNIL) features = check_size(L, "features");
    lua_pop(L, 2);

    struct model_options options;
    model_options_default(&options, (enum model_kind)kind, features);
    for (lua_pushnil(L); lua_next(L, at); lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "options are named");
        check_option(L, lua_tostring(L, -2), &options);
    }
    return options;
}
