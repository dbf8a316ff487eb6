/* bind/job_options.c - see job_options.h. */
#include "bind/job_options.h"

#include "bind/box.h"
#include <math.h>
#include <string.h>

#define ANALYSIS "runtime.job.analysis"
#define RULEBOOK "runtime.job.rulebook"

#define RECORDS_A_BUCKET 500  // the most that are written, unless said otherwise

static int release_analysis(lua_State *L) {
    struct analysis **box = luaL_checkudata(L, 1, ANALYSIS);
    analysis_free(*box);
    *box = NULL;
    return 0;
}

static int release_rulebook(lua_State *L) {
    struct rulebook **box = luaL_checkudata(L, 1, RULEBOOK);
    rulebook_free(*box);
    *box = NULL;
    return 0;
}

// --- members of the table at an index -------------------------------------------------------

// The text stays alive with the table.
static const char *text_at(lua_State *L, int at, const char *name) {
    int type = lua_getfield(L, at, name);
    if (type != LUA_TNIL && type != LUA_TSTRING) luaL_error(L, "'%s' must be a string", name);
    const char *value = lua_tostring(L, -1);
    lua_pop(L, 1);
    return value;
}

static int64_t integer_at(lua_State *L, int at, const char *name, int64_t otherwise) {
    int type = lua_getfield(L, at, name), whole = 1;
    lua_Integer value = type == LUA_TNIL ? otherwise : lua_tointegerx(L, -1, &whole);
    if (!whole) luaL_error(L, "'%s' must be a whole number", name);
    lua_pop(L, 1);
    return value;
}

static double number_at(lua_State *L, int at, const char *name) {
    int is_number;
    lua_getfield(L, at, name);
    double value = lua_tonumberx(L, -1, &is_number);
    if (!is_number) luaL_error(L, "'%s' must be a number", name);
    lua_pop(L, 1);
    return value;
}

static bool boolean_at(lua_State *L, int at, const char *name, bool otherwise) {
    int type = lua_getfield(L, at, name);
    bool value = type == LUA_TNIL ? otherwise : lua_toboolean(L, -1);
    lua_pop(L, 1);
    return value;
}

// Pushes the table of a member and says whether there is one; pushes nothing otherwise.
static bool table_at(lua_State *L, int at, const char *name) {
    int type = lua_getfield(L, at, name);
    if (type == LUA_TTABLE) return true;
    if (type != LUA_TNIL) luaL_error(L, "'%s' must be a table", name);
    lua_pop(L, 1);
    return false;
}

static int word(lua_State *L, const char *what, const char *value, const char *const words[]) {
    for (int i = 0; value && words[i]; i++)
        if (strcmp(value, words[i]) == 0) return i;
    return luaL_error(L, "%s cannot be '%s'", what, value ? value : "nil");
}

// --- the analysis ---------------------------------------------------------------------------

static unsigned exclude_frequent(lua_State *L, int at) {
    static const char *const words[] = {"none", "by", "over", "all", NULL};
    const char *value = text_at(L, at, "exclude_frequent");
    return value ? (unsigned)word(L, "exclude_frequent", value, words) : 0;
}

// The detector at the top of the stack.
static enum status add_detector(lua_State *L, struct analysis *a, struct error *err) {
    luaL_checktype(L, -1, LUA_TTABLE);
    int at = lua_gettop(L);
    const char *function = text_at(L, at, "function");
    if (!function) luaL_error(L, "a detector has no function");
    // Whatever may raise comes before anything is made.
    const char *texts[] = {text_at(L, at, "field"), text_at(L, at, "by"),
                           text_at(L, at, "over"), text_at(L, at, "partition")};
    bool use_null = boolean_at(L, at, "use_null", false);
    unsigned frequent = exclude_frequent(L, at);
    struct detector *d;
    enum status status = analysis_add_detector(a, function, &d, err);
    if (status != STATUS_OK) return status;
    char **places[] = {&d->field, &d->by, &d->over, &d->partition};
    for (size_t i = 0; i < 4 && status == STATUS_OK; i++)
        status = analysis_set_text(places[i], texts[i], err);
    d->use_null = use_null;
    d->exclude_frequent = (enum exclude_frequent)frequent;
    return status;
}

static enum status add_detectors(lua_State *L, int at, struct analysis *a, struct error *err) {
    enum status status = STATUS_OK;
    if (!table_at(L, at, "detectors")) luaL_error(L, "a job has no detectors");
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
        lua_geti(L, -1, i);
        status = add_detector(L, a, err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return status;
}

static enum status add_influencers(lua_State *L, int at, struct analysis *a,
                                   struct error *err) {
    enum status status = STATUS_OK;
    if (!table_at(L, at, "influencers")) return status;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
        if (lua_geti(L, -1, i) != LUA_TSTRING) luaL_error(L, "an influencer must be a string");
        status = analysis_add_influencer(a, lua_tostring(L, -1), err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return status;
}

static enum status set_input(lua_State *L, int at, struct analysis *a, struct error *err) {
    static const char *const formats[] = {"xcontent", "json", "delimited", NULL};
    const char *format = text_at(L, at, "format");
    a->delimited = format && word(L, "format", format, formats) == 2;
    const char *delimiter = text_at(L, at, "delimiter"), *quote = text_at(L, at, "quote");
    if (delimiter && *delimiter) a->delimiter = *delimiter;
    if (quote && *quote) a->quote = *quote;
    const char *field = text_at(L, at, "time_field"), *time = text_at(L, at, "time_format");
    const char *summary = text_at(L, at, "summary_count_field");
    enum status status = analysis_set_text(&a->summary_count_field, summary, err);
    if (status == STATUS_OK && field) status = analysis_set_text(&a->time_field, field, err);
    if (status == STATUS_OK && time) status = analysis_set_text(&a->time_format, time, err);
    return status;
}

struct analysis **job_options_analysis(lua_State *L, int at, struct error *err) {
    luaL_checktype(L, at, LUA_TTABLE);
    const char *job_id = text_at(L, at, "job_id");
    if (!job_id) luaL_error(L, "a job has no job_id");
    box_class(L, ANALYSIS, NULL, release_analysis);
    struct analysis **box = (struct analysis **)box_new(L, ANALYSIS);
    struct analysis *a = *box = analysis_new(job_id);
    if (!a) luaL_error(L, "not enough memory");
    a->bucket_span_s = integer_at(L, at, "bucket_span_s", a->bucket_span_s);
    a->latency_s = integer_at(L, at, "latency_s", 0);
    enum status status = set_input(L, at, a, err);
    if (status == STATUS_OK) status = add_influencers(L, at, a, err);
    if (status == STATUS_OK) status = add_detectors(L, at, a, err);
    if (status == STATUS_OK) return box;
    analysis_free(a);
    *box = NULL;
    return box;
}

struct job_options job_options_check(lua_State *L, int at) {
    return (struct job_options){
        .memory_limit_bytes = (uint64_t)integer_at(L, at, "memory_limit_bytes", 0),
        .spill = boolean_at(L, at, "spill", true),
        .prune_window_s = integer_at(L, at, "prune_window_s", 0),
        .record_limit = (size_t)integer_at(L, at, "record_limit", RECORDS_A_BUCKET),
        .threads = (size_t)integer_at(L, at, "threads", 0),
    };
}

// --- rules, filters and events --------------------------------------------------------------

// The bits of the `actions` of the rule at an index; none are named: the result is skipped.
static unsigned rule_actions(lua_State *L, int at) {
    static const char *const words[] = {"skip_result", "skip_model_update", "force_time_shift",
                                        NULL};
    unsigned actions = 0;
    if (!table_at(L, at, "actions")) return RULE_SKIP_RESULT;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_geti(L, -1, i);
        actions |= 1u << word(L, "an action", lua_tostring(L, -1), words);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return actions ? actions : RULE_SKIP_RESULT;
}

static int64_t rule_shift(lua_State *L, int at) {
    int64_t shift_s = 0;
    if (!table_at(L, at, "params")) return 0;
    if (table_at(L, lua_gettop(L), "force_time_shift")) {
        shift_s = integer_at(L, lua_gettop(L), "time_shift_amount", 0);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return shift_s;
}

static enum status add_conditions(lua_State *L, int at, struct rulebook *b, struct error *err) {
    static const char *const quantities[] = {"actual", "typical", "diff_from_typical", "time",
                                             NULL};
    static const char *const operators[] = {"lt", "lte", "gt", "gte", NULL};
    enum status status = STATUS_OK;
    if (!table_at(L, at, "conditions")) return status;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
        lua_geti(L, -1, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        int top = lua_gettop(L);
        int quantity = word(L, "applies_to", text_at(L, top, "applies_to"), quantities);
        int operator= word(L, "operator", text_at(L, top, "operator"), operators);
        status = rulebook_add_condition(b, (enum rule_quantity)quantity,
                                        (enum rule_operator) operator,
                                        number_at(L, top, "value"), err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return status;
}

static enum status add_scopes(lua_State *L, int at, struct rulebook *b, struct error *err) {
    static const char *const types[] = {"include", "exclude", NULL};
    enum status status = STATUS_OK;
    if (!table_at(L, at, "scope")) return status;
    int scope = lua_gettop(L);
    lua_pushnil(L);
    while (status == STATUS_OK && lua_next(L, scope)) {
        luaL_checktype(L, -1, LUA_TTABLE);
        int top = lua_gettop(L);
        if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "a scope must name a field");
        const char *filter = text_at(L, top, "filter_id"),
                   *type = text_at(L, top, "filter_type");
        if (!filter) luaL_error(L, "a scope has no filter_id");
        bool include = !type || word(L, "filter_type", type, types) == 0;
        status = rulebook_add_scope(b, lua_tostring(L, -2), filter, include, err);
        lua_pop(L, 1);
    }
    lua_settop(L, scope - 1);
    return status;
}

// The rules in the array at the top of the stack.
static enum status add_rules(lua_State *L, struct rulebook *b, size_t detector,
                             struct error *err) {
    enum status status = STATUS_OK;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
        lua_geti(L, -1, i);
        luaL_checktype(L, -1, LUA_TTABLE);
        int at = lua_gettop(L);
        status = rulebook_add_rule(b, detector, rule_actions(L, at), rule_shift(L, at), err);
        if (status == STATUS_OK) status = add_scopes(L, at, b, err);
        if (status == STATUS_OK) status = add_conditions(L, at, b, err);
        lua_settop(L, at - 1);
    }
    return status;
}

// The rules of all detectors: `rules` by number, or those within `detectors`.
static enum status add_all_rules(lua_State *L, int at, const struct analysis *a,
                                 struct rulebook *b, unsigned *parts, struct error *err) {
    enum status status = STATUS_OK;
    bool apart = table_at(L, at, "rules");
    if (!apart && !table_at(L, at, "detectors")) return status;
    *parts |= RULEBOOK_RULES;
    for (size_t d = 0; d < a->detector_count && status == STATUS_OK; d++) {
        lua_geti(L, -1, (lua_Integer)d + 1);
        bool found = lua_istable(L, -1);
        if (found && !apart) found = table_at(L, lua_gettop(L), "rules");
        if (found) status = add_rules(L, b, d, err);
        lua_pop(L, found && !apart ? 2 : 1);
    }
    lua_pop(L, 1);
    return status;
}

static enum status add_filters(lua_State *L, int at, struct rulebook *b, unsigned *parts,
                               struct error *err) {
    enum status status = STATUS_OK;
    if (!table_at(L, at, "filters")) return status;
    *parts |= RULEBOOK_FILTERS;
    int filters = lua_gettop(L);
    lua_pushnil(L);
    while (status == STATUS_OK && lua_next(L, filters)) {
        luaL_checktype(L, -1, LUA_TTABLE);
        if (lua_type(L, -2) != LUA_TSTRING) luaL_error(L, "a filter must have a name");
        lua_Integer count = luaL_len(L, -1);
        for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
            if (lua_geti(L, -1, i) != LUA_TSTRING) luaL_error(L, "an item must be a string");
            status = rulebook_add_item(b, lua_tostring(L, -3), lua_tostring(L, -1), err);
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_settop(L, filters - 1);
    return status;
}

// The event at the top of the stack.
static enum status add_event(lua_State *L, struct rulebook *b, struct error *err) {
    luaL_checktype(L, -1, LUA_TTABLE);
    int at = lua_gettop(L);
    const char *description = text_at(L, at, "description");
    int64_t shift_s = integer_at(L, at, "force_time_shift", 0);
    unsigned actions = 0;
    if (boolean_at(L, at, "skip_result", true)) actions |= RULE_SKIP_RESULT;
    if (boolean_at(L, at, "skip_model_update", true)) actions |= RULE_SKIP_MODEL_UPDATE;
    if (shift_s != 0) actions |= RULE_FORCE_TIME_SHIFT;
    return rulebook_add_event(b, description ? description : "",
                              integer_at(L, at, "start_s", 0), integer_at(L, at, "end_s", 0),
                              actions, shift_s, err);
}

static enum status add_events(lua_State *L, int at, struct rulebook *b, unsigned *parts,
                              struct error *err) {
    enum status status = STATUS_OK;
    if (!table_at(L, at, "events")) return status;
    *parts |= RULEBOOK_EVENTS;
    lua_Integer count = luaL_len(L, -1);
    for (lua_Integer i = 1; i <= count && status == STATUS_OK; i++) {
        lua_geti(L, -1, i);
        status = add_event(L, b, err);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return status;
}

struct rulebook **job_options_rules(lua_State *L, int at, const struct analysis *a,
                                    unsigned *parts, struct error *err) {
    luaL_checktype(L, at, LUA_TTABLE);
    box_class(L, RULEBOOK, NULL, release_rulebook);
    struct rulebook **box = (struct rulebook **)box_new(L, RULEBOOK);
    struct rulebook *b = *box = rulebook_new(a);
    if (!b) luaL_error(L, "not enough memory");
    *parts = 0;
    enum status status = add_all_rules(L, at, a, b, parts, err);
    if (status == STATUS_OK) status = add_filters(L, at, b, parts, err);
    if (status == STATUS_OK) status = add_events(L, at, b, parts, err);
    if (status == STATUS_OK) return box;
    rulebook_free(b);
    *box = NULL;
    return box;
}

// --- plots ----------------------------------------------------------------------------------

enum status job_options_plot(lua_State *L, int at, struct job *job, struct error *err) {
    int type = lua_getfield(L, at, "model_plot");
    enum status status = STATUS_OK;
    if (type == LUA_TTABLE) {
        int plot = lua_gettop(L);
        bool enabled = boolean_at(L, plot, "enabled", true);
        bool annotations = boolean_at(L, plot, "annotations", enabled);
        status = job_set_plot(job, enabled, text_at(L, plot, "terms"), annotations, err);
    } else if (type == LUA_TBOOLEAN && !lua_toboolean(L, -1)) {
        status = job_set_plot(job, false, NULL, false, err);
    }
    lua_pop(L, 1);
    return status;
}
