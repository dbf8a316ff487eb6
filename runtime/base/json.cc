/* base/json.cc - see json.h. C++ because simdjson has no C interface. */
#include "base/json.h"

#include <cstring>
#include <new>
#include <simdjson.h>

namespace ondemand = simdjson::ondemand;

static_assert(JSON_PADDING >= simdjson::SIMDJSON_PADDING, "simdjson reads this far ahead");

struct json_reader {
    ondemand::parser parser;
};

struct json {
    ondemand::value value;
    json_kind kind;
    int depth;
};

static status refuse(simdjson::error_code code, error *err) {
    if (code == simdjson::MEMALLOC)
        return fail(err, STATUS_NO_MEMORY, "no memory to read JSON");
    return fail(err, STATUS_INVALID, "%s", simdjson::error_message(code));
}

json_reader *json_reader_new() { return new (std::nothrow) json_reader; }
void json_reader_free(json_reader *r) { delete r; }

static status kind_of(ondemand::value &value, json_kind *out, error *err) {
    ondemand::json_type type;
    if (auto code = value.type().get(type)) return refuse(code, err);
    switch (type) {
    case ondemand::json_type::array:
        *out = JSON_ARRAY;
        break;
    case ondemand::json_type::object:
        *out = JSON_OBJECT;
        break;
    case ondemand::json_type::number:
        *out = JSON_NUMBER;
        break;
    case ondemand::json_type::string:
        *out = JSON_STRING;
        break;
    case ondemand::json_type::boolean:
        *out = JSON_BOOL;
        break;
    case ondemand::json_type::null:
        *out = JSON_NULL;
        break;
    }
    return STATUS_OK;
}

json_kind json_kind_of(const json *v) { return v->kind; }

static status visit(ondemand::value value, int depth, json_value_fn *use, void *context,
                    error *err) {
    if (depth > JSON_MAX_DEPTH)
        return fail(err, STATUS_TOO_LARGE, "more than %d nested brackets", JSON_MAX_DEPTH);
    json v{value, JSON_NULL, depth};
    if (status s = kind_of(v.value, &v.kind, err)) return s;
    return use(context, &v, err);
}

status json_read_object(json_reader *r, const char *text, size_t size, json_value_fn *use,
                        void *context, error *err) {
    ondemand::document document;
    simdjson::padded_string_view view(text, size, size + JSON_PADDING);
    if (auto code = r->parser.iterate(view).get(document)) return refuse(code, err);
    ondemand::value root;
    if (auto code = document.get_value().get(root)) return refuse(code, err);
    if (status s = visit(root, 1, use, context, err)) return s;
    const char *rest = nullptr;
    if (document.current_location().get(rest) == simdjson::SUCCESS)
        return fail(err, STATUS_INVALID, "there is more text behind the JSON value");
    return STATUS_OK;
}

status json_each_field(json *v, json_field_fn *use, void *context, error *err) {
    struct call {
        json_field_fn *use;
        void *context;
        std::string_view key;
        static status run(void *context, json *value, error *err) {
            call *c = static_cast<call *>(context);
            return c->use(c->context, c->key.data(), c->key.size(), value, err);
        }
    } c{use, context, {}};
    ondemand::object object;
    if (auto code = v->value.get_object().get(object)) return refuse(code, err);
    for (auto &&found : object) {
        ondemand::field field;
        if (auto code = std::move(found).get(field)) return refuse(code, err);
        if (auto code = field.unescaped_key().get(c.key)) return refuse(code, err);
        if (status s = visit(field.value(), v->depth + 1, call::run, &c, err)) return s;
    }
    return STATUS_OK;
}

status json_each_element(json *v, json_value_fn *use, void *context, error *err) {
    ondemand::array array;
    if (auto code = v->value.get_array().get(array)) return refuse(code, err);
    for (auto &&found : array) {
        ondemand::value value;
        if (auto code = found.get(value)) return refuse(code, err);
        if (status s = visit(value, v->depth + 1, use, context, err)) return s;
    }
    return STATUS_OK;
}

static status skip_element(void *, json *v, error *err) { return json_skip(v, err); }

static status skip_field(void *, const char *, size_t, json *v, error *err) {
    return json_skip(v, err);
}

status json_skip(json *v, error *err) {
    bool boolean;
    json_number number;
    std::string_view text;
    switch (v->kind) {
    case JSON_OBJECT:
        return json_each_field(v, skip_field, nullptr, err);
    case JSON_ARRAY:
        return json_each_element(v, skip_element, nullptr, err);
    case JSON_STRING:
        if (auto code = v->value.get_string().get(text)) return refuse(code, err);
        return STATUS_OK;
    case JSON_NUMBER:
        return json_get_number(v, &number, err);
    case JSON_BOOL:
        return json_get_bool(v, &boolean, err);
    case JSON_NULL:
        break;
    }
    return json_get_null(v, err);
}

status json_get_bool(json *v, bool *out, error *err) {
    if (auto code = v->value.get_bool().get(*out)) return refuse(code, err);
    return STATUS_OK;
}

status json_get_null(json *v, error *err) {
    bool null = false;
    if (auto code = v->value.is_null().get(null)) return refuse(code, err);
    if (!null) return fail(err, STATUS_INVALID, "a word that is neither true, false nor null");
    return STATUS_OK;
}

// A scalar's text as it stands: a token reaches to the next one, with the space between.
static std::string_view token(json *v) {
    std::string_view text = v->value.raw_json_token();
    while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ')
        text.remove_suffix(1);
    return text;
}

// Whether the text is a JSON number; simdjson refuses integers beyond 64 bits, which are.
static bool is_number(std::string_view text, bool *integer) {
    auto at = text.begin(), end = text.end();
    auto digits = [&] {
        auto from = at;
        while (at != end && *at >= '0' && *at <= '9')
            ++at;
        return at != from;
    };
    if (at != end && *at == '-') ++at;
    bool zero = at != end && *at == '0';
    auto first = at;
    if (!digits() || (zero && at - first > 1)) return false;
    *integer = at == end;
    if (at != end && *at == '.' && (++at, !digits())) return false;
    if (at != end && (*at == 'e' || *at == 'E')) {
        if (++at != end && (*at == '+' || *at == '-')) ++at;
        if (!digits()) return false;
    }
    return at == end;
}

static status big_number(std::string_view text, json_number *out, error *err) {
    if (!is_number(text, &out->is_integer) || text.size() > 1000)
        return fail(err, STATUS_INVALID, "'%.*s' is not a number",
                    static_cast<int>(std::min<size_t>(text.size(), 100)), text.data());
    char digits[1001];
    memcpy(digits, text.data(), text.size());
    digits[text.size()] = '\0';
    out->number = strtod(digits, nullptr);
    out->fits = false;
    return STATUS_OK;
}

status json_get_number(json *v, json_number *out, error *err) {
    std::string_view text = token(v);
    out->digits = text.data();
    out->digits_size = text.size();
    ondemand::number number;
    if (v->value.get_number().get(number) != simdjson::SUCCESS)
        return big_number(text, out, err);
    out->is_integer = out->fits = false;
    switch (number.get_number_type()) {
    case ondemand::number_type::signed_integer:
        out->is_integer = out->fits = true;
        out->integer = number.get_int64();
        out->number = static_cast<double>(out->integer);
        break;
    case ondemand::number_type::unsigned_integer:
        out->is_integer = true;
        out->number = static_cast<double>(number.get_uint64());
        break;
    case ondemand::number_type::floating_point_number:
        out->number = number.get_double();
        break;
    }
    return STATUS_OK;
}

status json_get_string(json *v, const char **bytes, size_t *size, bool *stable, error *err) {
    std::string_view text = token(v);
    if (text.size() >= 2 && !memchr(text.data(), '\\', text.size())) {
        ondemand::raw_json_string consumed;
        if (auto code = v->value.get_raw_json_string().get(consumed)) return refuse(code, err);
        *bytes = text.data() + 1;
        *size = text.size() - 2;
        *stable = true;
        return STATUS_OK;
    }
    if (auto code = v->value.get_string().get(text)) return refuse(code, err);
    *bytes = text.data();
    *size = text.size();
    *stable = false;
    return STATUS_OK;
}

const char *json_start(json *v) { return v->value.raw_json_token().data(); }

const char *json_end(json *v) {
    const char *at = nullptr;
    if (v->value.current_location().get(at) != simdjson::SUCCESS) return nullptr;
    while (static_cast<unsigned char>(at[-1]) <= ' ')
        at--;
    return at;
}

status json_get_raw(json *v, const char **bytes, size_t *size, error *err) {
    const char *start = json_start(v);
    if (status s = json_skip(v, err)) return s;
    const char *end = json_end(v);
    if (!end) return fail(err, STATUS_INVALID, "a JSON value has no end");
    *bytes = start;
    *size = static_cast<size_t>(end - start);
    return STATUS_OK;
}

// --- merging ------------------------------------------------------------------------------

namespace dom = simdjson::dom;

static void put(bytes *out, const std::string &json) {
    bytes_append(out, json.data(), json.size());
}

// Puts the separator and the key of the next field.
static void put_key(bytes *out, std::string_view key, bool *first) {
    if (!*first) bytes_append(out, ",", 1);
    *first = false;
    bytes_append_quoted(out, key.data(), key.size());
    bytes_append(out, ":", 1);
}

static bool merge(dom::object base, dom::object patch, bytes *out) {
    bool first = true, changed = false;
    bytes_append(out, "{", 1);
    for (auto field : base) {
        dom::element update;
        put_key(out, field.key, &first);
        if (patch.at_key(field.key).get(update) != simdjson::SUCCESS) {
            put(out, simdjson::to_string(field.value));
        } else if (field.value.is_object() && update.is_object()) {
            changed |= merge(field.value.get_object(), update.get_object(), out);
        } else {
            std::string was = simdjson::to_string(field.value),
                        is = simdjson::to_string(update);
            changed |= was != is;
            put(out, is);
        }
    }
    for (auto field : patch) {
        if (base.at_key(field.key).error() == simdjson::SUCCESS) continue;
        put_key(out, field.key, &first);
        put(out, simdjson::to_string(field.value));
        changed = true;
    }
    bytes_append(out, "}", 1);
    return changed;
}

status json_merge(const char *base, size_t base_size, const char *patch, size_t patch_size,
                  bytes *out, bool *changed, error *err) {
    dom::parser base_parser, patch_parser;
    dom::object base_object, patch_object;
    if (auto code = base_parser.parse(base, base_size).get_object().get(base_object))
        return refuse(code, err);
    if (auto code = patch_parser.parse(patch, patch_size).get_object().get(patch_object))
        return refuse(code, err);
    *changed = merge(base_object, patch_object, out);
    if (!bytes_ok(out)) return fail(err, STATUS_NO_MEMORY, "no memory to merge a document");
    return STATUS_OK;
}
