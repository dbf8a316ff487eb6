/* bind/bind_metric.c - require "runtime.metric": counters and gauges for GET /metrics
 *
 *     metric.counter(name, help[, labels]) -> metric     the same one for the same name and labels
 *     metric.gauge(name, help[, labels]) -> metric
 *     m:add([amount = 1])
 *     m:set(value)
 *     m:value()
 *
 * labels is Prometheus text: 'kind="forest"'. */
#include "base/metric.h"

#include "bind/bind.h"
#include "bind/box.h"
#include "bind/state.h"
#include "net/health.h"
#include <lauxlib.h>

#define METRIC "runtime.metric"

static struct metric *check(lua_State *L) {
    return *(struct metric **)luaL_checkudata(L, 1, METRIC);
}

static int get(lua_State *L, enum metric_type type) {
    const char *name = luaL_checkstring(L, 1), *help = luaL_checkstring(L, 2);
    const char *labels = luaL_optstring(L, 3, "");
    *box_new(L, METRIC) = metric_get(type, name, labels, help);
    return 1;
}

static int bind_metric_counter(lua_State *L) { return get(L, METRIC_COUNTER); }
static int bind_metric_gauge(lua_State *L) { return get(L, METRIC_GAUGE); }

static int bind_metric_add(lua_State *L) {
    metric_add(check(L), luaL_optnumber(L, 2, 1));
    return 0;
}

static int bind_metric_set(lua_State *L) {
    metric_set(check(L), luaL_checknumber(L, 2));
    return 0;
}

static int bind_metric_value(lua_State *L) {
    lua_pushnumber(L, metric_value(check(L)));
    return 1;
}

/* metric.text() -> all of them as GET /metrics shows them */
static int bind_metric_text(lua_State *L) {
    struct bytes *out = box_bytes(L);
    struct pool *pool = state_host(L)->pool;
    if (pool)
        health_metrics(pool, out);
    else
        metrics_append(out);
    box_push_bytes(L, out);
    return 1;
}

/* Metrics live as long as the process: nothing to free. */
static int bind_metric_release(lua_State *L) {
    (void)L;
    return 0;
}

int luaopen_runtime_metric(lua_State *L) {
    static const luaL_Reg methods[] = {
        {"add", bind_metric_add},
        {"set", bind_metric_set},
        {"value", bind_metric_value},
        {NULL, NULL},
    };
    static const luaL_Reg functions[] = {{"counter", bind_metric_counter},
                                         {"gauge", bind_metric_gauge},
                                         {"text", bind_metric_text},
                                         {NULL, NULL}};
    box_class(L, METRIC, methods, bind_metric_release);
    luaL_newlib(L, functions);
    return 1;
}
