/* bind/bind_index.c - the indices and documents of a store, as methods of its connections.
 *
 *     c:create_index{ name=, uuid=, created_ms=, settings=, aliases=, mapping= } -> true | nil, err
 *     c:delete_index(name) -> true | nil, err
 *     c:change_index(name, { settings=, aliases=, mapping= }) -> true | nil, err
 *     c:indices([name]) -> { { name=, uuid=, created_ms=, settings=, aliases= }, ... }
 *     c:indices_version() -> a number that changes with any of them
 *     c:mapping(name) -> { mapping=, columns=, version= } | nil
 *                         settings, aliases, mapping and columns are JSON texts
 *
 *     c:bulk(body[, index]) -> bulk | nil, err      reads a _bulk body
 *     c:bulk_one(index, { action=, id=, source=, if_seq_no=, ... }) -> bulk | nil, err
 *     b:targets() -> { { name=, require_alias=, only_deletes=, actions = { index = true } }, ... }
 *     b:resolve(target, c, index)                   where the target's documents go
 *     b:refuse(target, http_status, error_json)     or why they go nowhere
 *     b:refuse(target, http_status, error_json, "delete")   why those of one kind do not
 *     b:run(c) -> true | nil, err
 *     b:items(forced_refresh) -> JSON array, whether one failed
 *     b:item(number) -> { status=, _index=, _id=, _version=, _seq_no=, result=, error=, source= }
 *
 *     c:append_documents(index, ndjson) -> documents | nil, err
 *         in an open transaction, which is to be rolled back when one of them is refused
 *     c:put_snapshot(detector, entity, position_ms, bytes) -> true | nil, err
 *     c:get_snapshots(detector) -> frame | nil, err   entity, position_ms, bytes
 *     c:delete_snapshots(detector) -> true | nil, err */
#include "bind/bind_frame.h"
#include "bind/bind_store.h"
#include "bind/box.h"
#include "store/ingest.h"
#include "store/snapshot.h"
#include "store/table.h"
#include <string.h>

#define BULK "runtime.bulk"

static int push_done(lua_State *L, enum status status, const struct error *err) {
    if (status != STATUS_OK) return bind_fail(L, err);
    lua_pushboolean(L, 1);
    return 1;
}

// --- indices ------------------------------------------------------------------------------

// A text of the table at an argument; the table keeps it alive. NULL when there is none.
static const char *opt_field(lua_State *L, int at, const char *name) {
    lua_getfield(L, at, name);
    const char *text = luaL_optstring(L, -1, NULL);
    lua_pop(L, 1);
    return text;
}

static const char *check_field(lua_State *L, int at, const char *name) {
    const char *text = opt_field(L, at, name);
    if (!text) luaL_error(L, "'%s' is missing", name);
    return text;
}

static int bind_create_index(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_getfield(L, 2, "created_ms");
    struct table_info info = {.name = check_field(L, 2, "name"),
                              .uuid = check_field(L, 2, "uuid"),
                              .settings = check_field(L, 2, "settings"),
                              .aliases = check_field(L, 2, "aliases"),
                              .created_ms = luaL_checkinteger(L, -1)};
    struct error err;
    return push_done(L, table_create(c, &info, check_field(L, 2, "mapping"), &err), &err);
}

static int bind_delete_index(lua_State *L) {
    struct error err;
    return push_done(L, table_drop(bind_store_check(L, 1), luaL_checkstring(L, 2), &err), &err);
}

static int bind_change_index(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *name = luaL_checkstring(L, 2);
    luaL_checktype(L, 3, LUA_TTABLE);
    struct error err;
    enum status status =
        table_change(c, name, opt_field(L, 3, "settings"), opt_field(L, 3, "aliases"),
                     opt_field(L, 3, "mapping"), &err);
    return push_done(L, status, &err);
}

// Copies the registry out, because a Lua call may raise and its lock must not stay behind.
static bool copy_info(void *context, const struct table_info *info) {
    struct bytes *out = context;
    const char *texts[] = {info->name, info->uuid, info->settings, info->aliases};
    bytes_append(out, &info->created_ms, sizeof info->created_ms);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        bytes_append(out, texts[i], strlen(texts[i]) + 1);
    return true;
}

static void push_info(lua_State *L, const char **at) {
    static const char *const names[] = {"name", "uuid", "settings", "aliases"};
    int64_t created_ms;
    memcpy(&created_ms, *at, sizeof created_ms);
    *at += sizeof created_ms;
    lua_createtable(L, 0, 5);
    lua_pushinteger(L, created_ms);
    lua_setfield(L, -2, "created_ms");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        lua_pushstring(L, *at);
        lua_setfield(L, -2, names[i]);
        *at += strlen(*at) + 1;
    }
}

static int bind_indices(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *name = luaL_optstring(L, 2, NULL);
    struct bytes *copy = box_bytes(L);
    tables_each(connection_store(c), name, copy_info, copy);
    if (!bytes_ok(copy)) luaL_error(L, "not enough memory");
    lua_newtable(L);
    const char *at = copy->data;
    for (lua_Integer i = 1; at < copy->data + copy->size; i++) {
        push_info(L, &at);
        lua_seti(L, -2, i);
    }
    return 1;
}

static int bind_indices_version(lua_State *L) {
    uint64_t version = tables_version(connection_store(bind_store_check(L, 1)));
    lua_pushinteger(L, (lua_Integer)version);
    return 1;
}

static int bind_mapping(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    size_t size;
    const char *name = luaL_checklstring(L, 2, &size);
    struct bytes *text = box_bytes(L), *columns = box_bytes(L);
    struct table *t = table_find(connection_store(c), name, size);
    if (!t) return 0;
    uint64_t version;
    struct mapping *m = table_mapping(t, &version);
    table_release(t);
    if (m) {
        mapping_write(m, text);
        mapping_write_columns(m, columns);
        mapping_free(m);
    }
    if (!m || !bytes_ok(text) || !bytes_ok(columns)) luaL_error(L, "not enough memory");
    lua_createtable(L, 0, 3);
    box_push_bytes(L, text);
    lua_setfield(L, -2, "mapping");
    box_push_bytes(L, columns);
    lua_setfield(L, -2, "columns");
    lua_pushinteger(L, (lua_Integer)version);
    lua_setfield(L, -2, "version");
    return 1;
}

// --- bulks --------------------------------------------------------------------------------

static struct bulk *check_bulk(lua_State *L, int at) {
    struct bulk **box = luaL_checkudata(L, at, BULK);
    luaL_argcheck(L, *box, at, "the bulk is closed");
    return *box;
}

static int bulk_release(lua_State *L) {
    struct bulk **box = luaL_checkudata(L, 1, BULK);
    bulk_free(*box);
    *box = NULL;
    return 0;
}

// nil, { kind = "invalid", status = 400, type =, reason = }
static int refuse_request(lua_State *L, const struct bulk_refusal *refusal) {
    lua_pushnil(L);
    lua_createtable(L, 0, 4);
    lua_pushliteral(L, "invalid");
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, 400);
    lua_setfield(L, -2, "status");
    lua_pushstring(L, refusal->type);
    lua_setfield(L, -2, "type");
    lua_pushstring(L, refusal->reason);
    lua_setfield(L, -2, "reason");
    return 2;
}

// The box of a bulk; keeps the index's name at `at`, which the bulk points to.
static struct bulk **new_bulk(lua_State *L, int at) {
    struct bulk **box = lua_newuserdatauv(L, sizeof *box, 1);
    *box = NULL;
    luaL_setmetatable(L, BULK);
    lua_pushvalue(L, at);
    lua_setiuservalue(L, -2, 1);
    return box;
}

static int bind_bulk(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    size_t size;
    const char *body = luaL_checklstring(L, 2, &size);
    const char *index = luaL_optstring(L, 3, NULL);
    lua_settop(L, 3);
    struct bulk **box = new_bulk(L, 3);
    struct json_reader *reader = connection_reader(c);
    if (!reader) luaL_error(L, "not enough memory");
    struct bulk_refusal refusal = {0};
    struct error err;
    if (bulk_read(reader, body, size, index, box, &refusal, &err) == STATUS_OK) return 1;
    return err.status == STATUS_INVALID ? refuse_request(L, &refusal) : bind_fail(L, &err);
}

static struct span opt_span(lua_State *L, int at, const char *name) {
    struct span s = {0};
    lua_getfield(L, at, name);
    if (!lua_isnil(L, -1)) s.bytes = luaL_checklstring(L, -1, &s.size);
    lua_pop(L, 1);
    return s;
}

static lua_Integer opt_number(lua_State *L, int at, const char *name, lua_Integer missing) {
    lua_getfield(L, at, name);
    lua_Integer number = luaL_optinteger(L, -1, missing);
    lua_pop(L, 1);
    return number;
}

static int opt_word(lua_State *L, int at, const char *name, const char *const words[]) {
    lua_getfield(L, at, name);
    int word = luaL_checkoption(L, -1, words[0], words);
    lua_pop(L, 1);
    return word;
}

// In the order of enum action.
static const char *const action_names[] = {"index", "create", "update", "delete", NULL};

static struct operation check_operation(lua_State *L, int at) {
    static const char *const version_types[] = {"internal", "external", "external_gte", NULL};
    luaL_checktype(L, at, LUA_TTABLE);
    return (struct operation){
        .action = (enum action)opt_word(L, at, "action", action_names),
        .id = opt_span(L, at, "id"),
        .source = opt_span(L, at, "source"),
        .if_seq_no = opt_number(L, at, "if_seq_no", -1),
        .if_primary_term = opt_number(L, at, "if_primary_term", -1),
        .version = opt_number(L, at, "version", 0),
        .version_type = (enum version_type)opt_word(L, at, "version_type", version_types),
    };
}

static int bind_bulk_one(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *index = luaL_checkstring(L, 2);
    struct operation o = check_operation(L, 3);
    lua_settop(L, 3);
    lua_createtable(L, 2, 0);  // what the bulk points to: the index and the id
    lua_pushvalue(L, 2);
    lua_seti(L, -2, 1);
    lua_getfield(L, 3, "id");
    lua_seti(L, -2, 2);
    struct bulk **box = new_bulk(L, 4);
    struct json_reader *reader = connection_reader(c);
    if (!reader) luaL_error(L, "not enough memory");
    struct bulk_refusal refusal = {0};
    struct error err;
    if (bulk_one(reader, &o, index, box, &refusal, &err) == STATUS_OK) return 1;
    return err.status == STATUS_INVALID ? refuse_request(L, &refusal) : bind_fail(L, &err);
}

// Nothing is created for documents that are only to be deleted.
static bool only_deletes(const struct bulk *b, size_t target) {
    for (size_t i = 0; i < b->count; i++)
        if (b->operations[i].target == target && b->operations[i].action != ACTION_DELETE)
            return false;
    return true;
}

// Pushes the kinds of operations on a target as a set.
static void push_actions(lua_State *L, const struct bulk *b, size_t target) {
    lua_createtable(L, 0, 4);
    for (size_t i = 0; i < b->count; i++) {
        if (b->operations[i].target != target) continue;
        lua_pushboolean(L, 1);
        lua_setfield(L, -2, action_names[b->operations[i].action]);
    }
}

static int bind_bulk_targets(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    lua_createtable(L, (int)b->target_count, 0);
    for (size_t i = 0; i < b->target_count; i++) {
        const struct target *t = &b->targets[i];
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, t->name.bytes, t->name.size);
        lua_setfield(L, -2, "name");
        lua_pushboolean(L, t->require_alias);
        lua_setfield(L, -2, "require_alias");
        lua_pushboolean(L, only_deletes(b, i));
        lua_setfield(L, -2, "only_deletes");
        push_actions(L, b, i);
        lua_setfield(L, -2, "actions");
        lua_seti(L, -2, (lua_Integer)i + 1);
    }
    return 1;
}

static struct target *check_target(lua_State *L, struct bulk *b, int at) {
    lua_Integer number = luaL_checkinteger(L, at);
    luaL_argcheck(L, number >= 1 && (size_t)number <= b->target_count, at, "no such target");
    return &b->targets[number - 1];
}

static int bind_bulk_resolve(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    struct target *t = check_target(L, b, 2);
    size_t size;
    struct connection *c = bind_store_check(L, 3);
    const char *index = luaL_checklstring(L, 4, &size);
    table_release(t->table);
    t->table = table_find(connection_store(c), index, size);
    lua_pushboolean(L, t->table != NULL);
    return 1;
}

static int bind_bulk_refuse(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    struct target *t = check_target(L, b, 2);
    int http_status = (int)luaL_checkinteger(L, 3);
    size_t size;
    const char *error = luaL_checklstring(L, 4, &size);
    bool all = lua_isnoneornil(L, 5);
    int action = all ? 0 : luaL_checkoption(L, 5, NULL, action_names);
    bytes_clear(&t->refusal);
    bytes_append(&t->refusal, error, size);
    if (!bytes_ok(&t->refusal)) luaL_error(L, "not enough memory");
    if (all)
        t->http_status = http_status;
    else
        bulk_refuse(b, (size_t)(t - b->targets), (enum action)action, http_status, &t->refusal);
    return 0;
}

static int bind_bulk_run(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    struct connection *c = bind_store_check(L, 2);
    struct error err;
    return push_done(L, ingest_bulk(c, connection_reader(c), b, &err), &err);
}

static int bind_bulk_items(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    bool forced_refresh = lua_toboolean(L, 2);
    struct bytes *out = box_bytes(L);
    bulk_write_items(b, forced_refresh, out);
    box_push_bytes(L, out);
    lua_pushboolean(L, b->failed);
    return 2;
}

static void set_text(lua_State *L, const char *name, const char *bytes, size_t size) {
    lua_pushlstring(L, bytes, size);
    lua_setfield(L, -2, name);
}

static void set_integer(lua_State *L, const char *name, int64_t value) {
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static int bind_bulk_item(lua_State *L) {
    struct bulk *b = check_bulk(L, 1);
    lua_Integer number = luaL_optinteger(L, 2, 1);
    luaL_argcheck(L, number >= 1 && (size_t)number <= b->count, 2, "no such operation");
    const struct operation *o = &b->operations[number - 1];
    const struct target *t = &b->targets[o->target];
    const char *index = t->table ? table_name(t->table) : NULL;
    lua_createtable(L, 0, 8);
    set_integer(L, "status", o->http_status);
    set_text(L, "_index", index ? index : t->name.bytes, index ? strlen(index) : t->name.size);
    if (o->id.bytes) set_text(L, "_id", o->id.bytes, o->id.size);
    if (o->error_size) {
        set_text(L, "error", b->errors.data + o->error_at, o->error_size);
        return 1;
    }
    set_integer(L, "_version", o->result_version);
    set_integer(L, "_seq_no", o->seq_no);
    set_integer(L, "_primary_term", 1);
    const char *result = outcome_name(o->outcome);
    set_text(L, "result", result, strlen(result));
    if (o->return_source) set_text(L, "source", o->source.bytes, o->source.size);
    return 1;
}

// --- results and snapshots ----------------------------------------------------------------

// The refusal of the first document that was refused.
static int refuse_documents(lua_State *L, const struct bulk *b) {
    for (size_t i = 0; i < b->count; i++) {
        const struct operation *o = &b->operations[i];
        if (!o->error_size) continue;
        struct error err = {.status = STATUS_INVALID};
        snprintf(err.reason, sizeof err.reason, "document %zu: %.*s", i + 1,
                 (int)(o->error_size < 400 ? o->error_size : 400),
                 b->errors.data + o->error_at);
        return bind_fail(L, &err);
    }
    return 0;
}

static int bind_append_documents(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    size_t name_size, size;
    const char *index = luaL_checklstring(L, 2, &name_size);
    const char *body = luaL_checklstring(L, 3, &size);
    lua_settop(L, 3);
    struct bulk **box = new_bulk(L, 2);
    struct error err;
    struct json_reader *reader = connection_reader(c);
    if (!reader) luaL_error(L, "not enough memory");
    bool own = !connection_in_transaction(c);
    if (bulk_read_documents(body, size, index, box, &err) != STATUS_OK)
        return bind_fail(L, &err);
    struct bulk *b = *box;
    b->targets[0].table = table_find(connection_store(c), index, name_size);
    if (!b->targets[0].table) {
        fail(&err, STATUS_NOT_FOUND, "no such index [%s]", index);
        return bind_fail(L, &err);
    }
    if (own && connection_begin(c, &err) != STATUS_OK) return bind_fail(L, &err);
    enum status status = ingest_bulk(c, reader, b, &err);
    if (own && status == STATUS_OK && !b->failed) status = connection_commit(c, &err);
    if (own && (status != STATUS_OK || b->failed)) connection_rollback(c);
    if (status != STATUS_OK) return bind_fail(L, &err);
    if (b->failed) return refuse_documents(L, b);
    lua_pushinteger(L, (lua_Integer)b->count);
    return 1;
}

static int bind_put_snapshot(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *detector = luaL_checkstring(L, 2);
    size_t entity_size, size;
    const char *entity = luaL_checklstring(L, 3, &entity_size);
    lua_Integer position_ms = luaL_checkinteger(L, 4);
    const char *bytes = luaL_checklstring(L, 5, &size);
    struct error err;
    return push_done(
        L, snapshot_put(c, detector, entity, entity_size, position_ms, bytes, size, &err),
        &err);
}

static int bind_get_snapshots(lua_State *L) {
    struct connection *c = bind_store_check(L, 1);
    const char *detector = luaL_checkstring(L, 2);
    struct frame **box = bind_frame_box(L);
    struct error err;
    if (snapshot_get(c, detector, box, &err) != STATUS_OK) return bind_fail(L, &err);
    return 1;
}

static int bind_delete_snapshots(lua_State *L) {
    struct error err;
    return push_done(L, snapshot_delete(bind_store_check(L, 1), luaL_checkstring(L, 2), &err),
                     &err);
}

void bind_index_methods(lua_State *L) {
    static const luaL_Reg bulk_methods[] = {
        {"targets", bind_bulk_targets}, {"resolve", bind_bulk_resolve},
        {"refuse", bind_bulk_refuse},   {"run", bind_bulk_run},
        {"items", bind_bulk_items},     {"item", bind_bulk_item},
        {"close", bulk_release},        {NULL, NULL},
    };
    static const luaL_Reg methods[] = {
        {"create_index", bind_create_index},
        {"delete_index", bind_delete_index},
        {"change_index", bind_change_index},
        {"indices", bind_indices},
        {"indices_version", bind_indices_version},
        {"mapping", bind_mapping},
        {"bulk", bind_bulk},
        {"bulk_one", bind_bulk_one},
        {"append_documents", bind_append_documents},
        {"put_snapshot", bind_put_snapshot},
        {"get_snapshots", bind_get_snapshots},
        {"delete_snapshots", bind_delete_snapshots},
        {NULL, NULL},
    };
    box_class(L, BULK, bulk_methods, bulk_release);
    luaL_setfuncs(L, methods, 0);
}
