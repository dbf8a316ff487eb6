/* bind/bind_kind_parts.c - require "runtime.kind_parts": the models that are no numeric series,
 * each by itself, for specs.
 *
 *     parts.category([bytes]) -> c | nil, err
 *         c:learn(value, amount)  c:age(keep)  c:probability(value)  c:save() -> bytes
 *         c:share(value)  c:rarity(value)  c:count()
 *     parts.category_weight(part, n) -> weight
 *     parts.time_of(period_s[, bytes]) -> t | nil, err
 *         t:learn(now_s, { seconds into the period, ... })  t:age(keep)  t:save()
 *         t:probability(now_s, { seconds, ... }) -> p      t:typical(seconds) -> seconds
 *     parts.place([bytes]) -> p | nil, err
 *         p:learn(lat, lon)  p:age(keep)  p:probability(lat, lon) -> p  p:save() -> bytes
 *         p:typical(lat, lon) -> lat, lon
 *     parts.population([bytes]) -> p | nil, err
 *         p:see(person[, amount])  p:weight(person)  p:persons()  p:save()
 *     parts.haste(age_s) -> factor
 *     parts.merge({ { time_s, value, weight }, ... }, bucket_span_s) -> list like it */
#include "bind/bind.h"
#include "bind/box.h"
#include "model/category.h"
#include "model/place.h"
#include "model/population.h"
#include "model/time_of.h"
#include <lauxlib.h>
#include <string.h>

#define CATEGORY "runtime.kind_parts.category"
#define TIME_OF "runtime.kind_parts.time_of"
#define PLACE "runtime.kind_parts.place"
#define POPULATION "runtime.kind_parts.population"

/* Texts are their own keys here: the first eight bytes. */
static uint64_t check_key(lua_State *L, int at) {
    size_t size;
    const char *text = luaL_checklstring(L, at, &size);
    uint64_t key = 0;
    memcpy(&key, text, size < sizeof key ? size : sizeof key);
    return key;
}

/* Pushes what save() writes. */
static int push_saved(lua_State *L, void (*save)(const void *, struct pack *), const void *of) {
    struct pack size = {0};
    save(of, &size);
    struct pack to = {.bytes = box_scratch(L, size.size), .capacity = size.size};
    save(of, &to);
    lua_pushlstring(L, (const char *)to.bytes, to.size);
    return 1;
}

static struct unpack saved(lua_State *L, int at) {
    size_t size;
    const char *bytes = luaL_checklstring(L, at, &size);
    return (struct unpack){.bytes = (const uint8_t *)bytes, .size = size};
}

static double item(lua_State *L, int table, lua_Integer i) {
    lua_geti(L, table, i);
    double value = luaL_checknumber(L, -1);
    lua_pop(L, 1);
    return value;
}

// --- category --------------------------------------------------------------------------------

static struct category *check_category(lua_State *L) {
    struct category **box = luaL_checkudata(L, 1, CATEGORY);
    return *box;
}

static int category_release(lua_State *L) {
    struct category **box = luaL_checkudata(L, 1, CATEGORY);
    category_free(*box);
    *box = NULL;
    return 0;
}

static int bind_category_new(lua_State *L) {
    lua_settop(L, 1);
    struct category **box = (struct category **)box_new(L, CATEGORY);
    struct error err;
    if (lua_isnil(L, 1)) {
        *box = category_new();
        return *box ? 1 : luaL_error(L, "not enough memory");
    }
    struct unpack from = saved(L, 1);
    return category_load(&from, box, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int bind_category_learn(lua_State *L) {
    struct error err;
    double amount = luaL_optnumber(L, 3, 1);
    if (category_learn(check_category(L), check_key(L, 2), amount, &err) != STATUS_OK)
        return luaL_error(L, "%s", err.reason);
    return 0;
}

static int bind_category_age(lua_State *L) {
    category_age(check_category(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_category_probability(lua_State *L) {
    lua_pushnumber(L, category_probability(check_category(L), check_key(L, 2)));
    return 1;
}

static int bind_category_share(lua_State *L) {
    lua_pushnumber(L, category_share(check_category(L), check_key(L, 2)));
    return 1;
}

static int bind_category_rarity(lua_State *L) {
    lua_pushnumber(L, category_rarity(check_category(L), check_key(L, 2)));
    return 1;
}

static int bind_category_count(lua_State *L) {
    lua_pushinteger(L, (lua_Integer)category_count(check_category(L)));
    return 1;
}

static void save_category(const void *c, struct pack *to) { category_save(c, to); }

static int bind_category_save(lua_State *L) {
    return push_saved(L, save_category, check_category(L));
}

static int bind_category_weight(lua_State *L) {
    double part = luaL_checknumber(L, 1);
    lua_pushnumber(L, category_weight(part, (size_t)luaL_checkinteger(L, 2)));
    return 1;
}

// --- time of day, of week --------------------------------------------------------------------

static struct time_of *check_time_of(lua_State *L) { return luaL_checkudata(L, 1, TIME_OF); }

static int bind_time_of_new(lua_State *L) {
    double period_s = luaL_checknumber(L, 1);
    lua_settop(L, 2);
    struct time_of *t = lua_newuserdatauv(L, sizeof *t, 0);
    time_of_start(t, period_s);
    luaL_setmetatable(L, TIME_OF);
    if (lua_isnil(L, 2)) return 1;
    struct unpack from = saved(L, 2);
    struct error err;
    return time_of_load(t, &from, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

/* The events at index 3; scratch on the stack. */
static struct time_of_event *check_events(lua_State *L, size_t *count) {
    luaL_checktype(L, 3, LUA_TTABLE);
    *count = lua_rawlen(L, 3);
    struct time_of_event *events = box_scratch(L, (*count + 1) * sizeof *events);
    for (size_t i = 0; i < *count; i++)
        events[i] = (struct time_of_event){item(L, 3, (lua_Integer)i + 1), 1};
    return events;
}

static int bind_time_of_learn(lua_State *L) {
    size_t count;
    struct time_of *t = check_time_of(L);
    const struct time_of_event *events = check_events(L, &count);
    struct modes_fit usual;
    time_of_look(t, &usual);
    time_of_learn(t, &usual, luaL_checkinteger(L, 2), events, count, 1);
    return 0;
}

static int bind_time_of_age(lua_State *L) {
    time_of_age(check_time_of(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_time_of_probability(lua_State *L) {
    size_t count;
    const struct time_of *t = check_time_of(L);
    const struct time_of_event *events = check_events(L, &count);
    struct modes_fit usual;
    time_of_look(t, &usual);
    lua_pushnumber(L, time_of_probability(t, &usual, luaL_checkinteger(L, 2), events, count));
    return 1;
}

static int bind_time_of_typical(lua_State *L) {
    lua_pushnumber(L, time_of_typical(check_time_of(L), luaL_checknumber(L, 2)));
    return 1;
}

static void save_time_of(const void *t, struct pack *to) { time_of_save(t, to); }

static int bind_time_of_save(lua_State *L) {
    return push_saved(L, save_time_of, check_time_of(L));
}

// --- place -----------------------------------------------------------------------------------

static struct place *check_place(lua_State *L) { return luaL_checkudata(L, 1, PLACE); }

static struct place_point check_point(lua_State *L) {
    return (struct place_point){luaL_checknumber(L, 2), luaL_checknumber(L, 3)};
}

static int bind_place_new(lua_State *L) {
    lua_settop(L, 1);
    struct place *p = lua_newuserdatauv(L, sizeof *p, 0);
    place_start(p);
    luaL_setmetatable(L, PLACE);
    if (lua_isnil(L, 1)) return 1;
    struct unpack from = saved(L, 1);
    struct error err;
    return place_load(p, &from, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int bind_place_learn(lua_State *L) {
    struct place *p = check_place(L);
    struct modes_fit usual;
    place_look(p, &usual);
    place_learn(p, &usual, check_point(L), 1);
    return 0;
}

static int bind_place_age(lua_State *L) {
    place_age(check_place(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_place_probability(lua_State *L) {
    const struct place *p = check_place(L);
    struct modes_fit usual;
    place_look(p, &usual);
    lua_pushnumber(L, place_probability(p, &usual, check_point(L)));
    return 1;
}

static int bind_place_typical(lua_State *L) {
    struct place_point typical = place_typical(check_place(L), check_point(L));
    lua_pushnumber(L, typical.lat);
    lua_pushnumber(L, typical.lon);
    return 2;
}

static void save_place(const void *p, struct pack *to) { place_save(p, to); }

static int bind_place_save(lua_State *L) { return push_saved(L, save_place, check_place(L)); }

// --- population ------------------------------------------------------------------------------

static struct population *check_population(lua_State *L) {
    return luaL_checkudata(L, 1, POPULATION);
}

static int bind_population_new(lua_State *L) {
    lua_settop(L, 1);
    struct population *p = lua_newuserdatauv(L, sizeof *p, 0);
    *p = (struct population){0};
    luaL_setmetatable(L, POPULATION);
    if (lua_isnil(L, 1)) return 1;
    struct unpack from = saved(L, 1);
    struct error err;
    return population_load(p, &from, &err) == STATUS_OK ? 1 : bind_fail(L, &err);
}

static int bind_population_see(lua_State *L) {
    population_see(check_population(L), check_key(L, 2), luaL_optnumber(L, 3, 1));
    return 0;
}

static int bind_population_weight(lua_State *L) {
    const struct population *p = check_population(L);
    lua_pushnumber(L, population_weight(p, check_key(L, 2), population_mean(p)));
    return 1;
}

static int bind_population_persons(lua_State *L) {
    lua_pushnumber(L, population_persons(check_population(L)));
    return 1;
}

static void save_population(const void *p, struct pack *to) { population_save(p, to); }

static int bind_population_save(lua_State *L) {
    return push_saved(L, save_population, check_population(L));
}

static int bind_haste(lua_State *L) {
    lua_pushnumber(L, population_haste(luaL_checknumber(L, 1)));
    return 1;
}

static void push_samples(lua_State *L, const struct series_sample *samples, size_t count) {
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const double values[] = {samples[i].time_s, samples[i].value, samples[i].weight};
        lua_createtable(L, 3, 0);
        for (int k = 0; k < 3; k++) {
            lua_pushnumber(L, values[k]);
            lua_seti(L, -2, k + 1);
        }
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
}

static int bind_merge(lua_State *L) {
    luaL_checktype(L, 1, LUA_TTABLE);
    size_t count = lua_rawlen(L, 1);
    struct series_sample *samples = box_scratch(L, (count + 1) * sizeof *samples);
    for (size_t i = 0; i < count; i++) {
        lua_geti(L, 1, (lua_Integer)i + 1);
        int table = lua_gettop(L);
        samples[i] =
            (struct series_sample){item(L, table, 1), item(L, table, 2), item(L, table, 3)};
        lua_pop(L, 1);
    }
    push_samples(L, samples, population_merge(samples, count, luaL_checkinteger(L, 2)));
    return 1;
}

int luaopen_runtime_kind_parts(lua_State *L) {
    static const luaL_Reg category_methods[] = {{"learn", bind_category_learn},
                                                {"age", bind_category_age},
                                                {"probability", bind_category_probability},
                                                {"share", bind_category_share},
                                                {"rarity", bind_category_rarity},
                                                {"count", bind_category_count},
                                                {"save", bind_category_save},
                                                {NULL, NULL}};
    static const luaL_Reg time_of_methods[] = {{"learn", bind_time_of_learn},
                                               {"age", bind_time_of_age},
                                               {"probability", bind_time_of_probability},
                                               {"typical", bind_time_of_typical},
                                               {"save", bind_time_of_save},
                                               {NULL, NULL}};
    static const luaL_Reg place_methods[] = {{"learn", bind_place_learn},
                                             {"age", bind_place_age},
                                             {"probability", bind_place_probability},
                                             {"typical", bind_place_typical},
                                             {"save", bind_place_save},
                                             {NULL, NULL}};
    static const luaL_Reg population_methods[] = {{"see", bind_population_see},
                                                  {"weight", bind_population_weight},
                                                  {"persons", bind_population_persons},
                                                  {"save", bind_population_save},
                                                  {NULL, NULL}};
    static const luaL_Reg functions[] = {{"category", bind_category_new},
                                         {"category_weight", bind_category_weight},
                                         {"time_of", bind_time_of_new},
                                         {"place", bind_place_new},
                                         {"population", bind_population_new},
                                         {"haste", bind_haste},
                                         {"merge", bind_merge},
                                         {NULL, NULL}};
    box_class(L, CATEGORY, category_methods, category_release);
    box_class(L, TIME_OF, time_of_methods, NULL);
    box_class(L, PLACE, place_methods, NULL);
    box_class(L, POPULATION, population_methods, NULL);
    luaL_newlib(L, functions);
    return 1;
}
