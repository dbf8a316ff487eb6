/* bind/bind_json.cc - json.decode() of require "runtime.json", on simdjson's on-demand reader.
 * C++ stays in this file. A Lua error may jump over its frames, so nothing on the stack here
 * has a destructor: the parser and the padded copy of the text live in a box of the registry.
 */
#include "bind/bind_json.h"

#include "bind/box.h"
#include <cstring>
#include <new>
#include <simdjson.h>
#include <utility>

#define DECODER "runtime.json.decoder"

namespace {

namespace ondemand = simdjson::ondemand;

// One per Lua state: simdjson's buffers are used again by the next text.
struct decoder {
    ondemand::parser parser;
    struct bytes text;  // a copy with simdjson's padding behind it
};

struct reader {
    lua_State *L;
    int depth, max_depth;
    const char *duplicate;  // the key that stood twice in an object, on the Lua stack
};

simdjson::error_code push_value(reader *r, ondemand::value value);

// A number beyond 64 bits becomes a double, as Lua itself reads it.
template <typename value_type>
simdjson::error_code push_number(lua_State *L, value_type &value) {
    ondemand::number_type type;
    if (auto error = value.get_number_type().get(type)) return error;
    if (type != ondemand::number_type::floating_point_number) {
        int64_t integer;
        if (!value.get_int64().get(integer)) {
            lua_pushinteger(L, integer);
            return simdjson::SUCCESS;
        }
    }
    double number;
    if (auto error = value.get_double().get(number)) return error;
    lua_pushnumber(L, number);
    return simdjson::SUCCESS;
}

simdjson::error_code push_array(reader *r, ondemand::array array) {
    lua_newtable(r->L);
    bind_json_mark_array(r->L);
    lua_Integer at = 0;
    for (auto item : array) {
        if (item.error()) return item.error();
        if (auto error = push_value(r, item.value_unsafe())) return error;
        lua_rawseti(r->L, -2, ++at);
    }
    return simdjson::SUCCESS;
}

// Pushes a field's key; the same key twice in one object is an error, as in Elasticsearch.
simdjson::error_code push_key(reader *r, ondemand::field &field) {
    std::string_view key;
    if (auto error = field.unescaped_key().get(key)) return error;
    lua_pushlstring(r->L, key.data(), key.size());
    lua_pushvalue(r->L, -1);
    if (lua_rawget(r->L, -3) != LUA_TNIL) {
        r->duplicate = lua_tostring(r->L, -2);
        return simdjson::TAPE_ERROR;
    }
    lua_pop(r->L, 1);
    return simdjson::SUCCESS;
}

simdjson::error_code push_object(reader *r, ondemand::object object) {
    lua_newtable(r->L);
    for (auto item : object) {
        ondemand::field field;
        if (auto error = std::move(item).get(field)) return error;
        if (auto error = push_key(r, field)) return error;
        if (auto error = push_value(r, field.value())) return error;
        lua_rawset(r->L, -3);
    }
    return simdjson::SUCCESS;
}

template <typename value_type>
simdjson::error_code push_container(reader *r, value_type &value, bool is_array) {
    if (++r->depth > r->max_depth) return simdjson::DEPTH_ERROR;
    luaL_checkstack(r->L, 8, "JSON");
    simdjson::error_code error;
    if (is_array) {
        ondemand::array array;
        error = value.get_array().get(array);
        if (!error) error = push_array(r, array);
    } else {
        ondemand::object object;
        error = value.get_object().get(object);
        if (!error) error = push_object(r, object);
    }
    r->depth--;
    return error;
}

template <typename value_type> simdjson::error_code push_null(lua_State *L, value_type &value) {
    bool null;
    if (auto error = simdjson::simdjson_result<bool>(value.is_null()).get(null)) return error;
    if (!null) return simdjson::N_ATOM_ERROR;
    lua_pushlightuserdata(L, nullptr);
    return simdjson::SUCCESS;
}

template <typename value_type> simdjson::error_code push_any(reader *r, value_type &value) {
    ondemand::json_type type;
    if (auto error = value.type().get(type)) return error;
    switch (type) {
    case ondemand::json_type::array:
    case ondemand::json_type::object:
        return push_container(r, value, type == ondemand::json_type::array);
    case ondemand::json_type::number:
        return push_number(r->L, value);
    case ondemand::json_type::string: {
        std::string_view text;
        if (auto error = value.get_string().get(text)) return error;
        lua_pushlstring(r->L, text.data(), text.size());
        return simdjson::SUCCESS;
    }
    case ondemand::json_type::boolean: {
        bool truth;
        if (auto error = value.get_bool().get(truth)) return error;
        lua_pushboolean(r->L, truth);
        return simdjson::SUCCESS;
    }
    case ondemand::json_type::null:
        return push_null(r->L, value);
    }
    return simdjson::TAPE_ERROR;
}

simdjson::error_code push_value(reader *r, ondemand::value value) { return push_any(r, value); }

int decoder_release(lua_State *L) {
    decoder *d = static_cast<decoder *>(luaL_checkudata(L, 1, DECODER));
    d->parser.~parser();
    bytes_free(&d->text);
    return 0;
}

decoder *state_decoder(lua_State *L) {
    if (lua_getfield(L, LUA_REGISTRYINDEX, DECODER ".one") == LUA_TNIL) {
        lua_pop(L, 1);
        box_class(L, DECODER, nullptr, decoder_release);
        void *memory = lua_newuserdatauv(L, sizeof(decoder), 0);
        decoder *d = new (memory) decoder();
        luaL_setmetatable(L, DECODER);
        (void)d;
        lua_pushvalue(L, -1);
        lua_setfield(L, LUA_REGISTRYINDEX, DECODER ".one");
    }
    decoder *d = static_cast<decoder *>(lua_touserdata(L, -1));
    lua_pop(L, 1);
    return d;
}

const char *error_text(simdjson::error_code error) {
    switch (error) {
    case simdjson::EMPTY:
    case simdjson::INCOMPLETE_ARRAY_OR_OBJECT:
        return "the text ends inside of a value";
    case simdjson::UNCLOSED_STRING:
        return "a string is not closed";
    case simdjson::UTF8_ERROR:
        return "the text is not valid UTF-8";
    case simdjson::STRING_ERROR:
        return "a string has a wrong escape";
    case simdjson::UNESCAPED_CHARS:
        return "a string has a control character that is not escaped";
    case simdjson::NUMBER_ERROR:
        return "not a number";
    case simdjson::TRAILING_CONTENT:
        return "something follows the value";
    default:
        return "unexpected character";
    }
}

bool text_ends(simdjson::error_code error) {
    return error == simdjson::EMPTY || error == simdjson::INCOMPLETE_ARRAY_OR_OBJECT ||
           error == simdjson::UNCLOSED_STRING;
}

// Where the first object or array of a text ends; the text's size when it does not.
size_t container_end(const char *text, size_t size) {
    int open = 0;
    bool quoted = false;
    for (size_t i = 0; i < size; i++) {
        char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (c == '{' || c == '['))
            open++;
        else if (!quoted && (c == '}' || c == ']') && --open <= 0)
            return i + 1;
    }
    return size;
}

// 1-based line and column of a position in a text; the end when there is no position.
void locate(const char *text, size_t size, const char *at, int *line, int *column) {
    if (!at || at < text || at > text + size) at = text + size;
    *line = *column = 1;
    for (const char *c = text; c < at; c++) {
        if (*c == '\n') {
            ++*line;
            *column = 0;
        }
        ++*column;
    }
}

int push_error(lua_State *L, const char *type, const char *reason, int line, int column) {
    lua_pushnil(L);
    lua_createtable(L, 0, 6);
    lua_pushstring(L, reason);
    lua_setfield(L, -2, "problem");
    lua_pushfstring(L, "line %d, column %d: %s", line, column, reason);
    lua_setfield(L, -2, "reason");
    lua_pushstring(L, type);
    lua_setfield(L, -2, "type");
    lua_pushstring(L, "invalid");
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, line);
    lua_setfield(L, -2, "line");
    lua_pushinteger(L, column);
    lua_setfield(L, -2, "column");
    return 2;
}

int decode_failed(reader *r, simdjson::error_code error, const decoder *d, size_t size,
                  const char *at) {
    int line, column;
    size_t end = container_end(d->text.data, size);
    if (error == simdjson::INCOMPLETE_ARRAY_OR_OBJECT && end < size) {
        error = simdjson::TRAILING_CONTENT;
        at = d->text.data + end;
    }
    const char *reason = error_text(error);
    const char *type = text_ends(error) ? "json_e_o_f_exception" : "json_parse_exception";
    if (r->duplicate) {
        reason = lua_pushfstring(r->L, "Duplicate field '%s'", r->duplicate);
        at--;  // the reader stands behind the colon
    } else if (error == simdjson::DEPTH_ERROR)
        reason =
            lua_pushfstring(r->L, "brackets are nested deeper than %d levels", r->max_depth);
    // The reader itself has no position for what it found while it looked at the whole text.
    locate(d->text.data, size, text_ends(error) ? nullptr : at, &line, &column);
    return push_error(r->L, type, reason, line, column);
}

// Reads the copied text; *at is where an error was seen.
simdjson::error_code decode(reader *r, decoder *d, size_t size, const char **at) {
    ondemand::document document;
    *at = d->text.data;
    if (auto error = d->parser.iterate(d->text.data, size, d->text.capacity).get(document))
        return error;
    auto error = push_any(r, document);
    // The place after the last token is out of bounds: any other means that something follows.
    auto place = document.current_location();
    if (!error && !place.error()) error = simdjson::TRAILING_CONTENT;
    if (error && std::move(place).get(*at)) *at = nullptr;
    return error;
}

int push_text(lua_State *L, const char *text, size_t size, int max_depth, bool trailing) {
    decoder *d = state_decoder(L);
    if (trailing) size = container_end(text, size);
    bytes_clear(&d->text);
    if (!bytes_reserve(&d->text, size + simdjson::SIMDJSON_PADDING))
        return luaL_error(L, "not enough memory");
    memcpy(d->text.data, text, size);
    memset(d->text.data + size, 0, simdjson::SIMDJSON_PADDING);

    reader r = {L, 0, max_depth, nullptr};
    const char *at;
    auto error = decode(&r, d, size, &at);
    return error ? decode_failed(&r, error, d, size, at) : 1;
}

}  // namespace

int bind_json_push(lua_State *L, const char *text, size_t size) {
    return push_text(L, text, size, JSON_DEPTH, false);
}

/* json.decode(text[, { max_depth =, trailing = }]) -> value
 *                            | nil, { kind = "invalid", type, reason, problem, line, column }
 * problem is the reason without the place.
 * trailing: true ignores what follows an object or array. */
int bind_json_decode(lua_State *L) {
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    lua_Integer max_depth = JSON_DEPTH;
    bool trailing = false;
    if (lua_istable(L, 2)) {
        lua_getfield(L, 2, "max_depth");
        max_depth = luaL_optinteger(L, -1, JSON_DEPTH);
        luaL_argcheck(L, max_depth > 0 && max_depth <= JSON_DEPTH, 2, "max_depth out of range");
        lua_getfield(L, 2, "trailing");
        trailing = lua_toboolean(L, -1);
        lua_pop(L, 2);
    }
    return push_text(L, text, size, static_cast<int>(max_depth), trailing);
}
