/* job/rule.c - see rule.h. */
#include "job/rule.h"

#include "frame/key.h"
#include <math.h>
#include <stdlib.h>

enum scope_field { SCOPE_PARTITION, SCOPE_BY, SCOPE_OVER };

struct item {
    char *text;  // without its stars
    size_t size;
    bool open_start, open_end;  // a star stood there
};

struct filter {
    char *id;
    struct item *items;
    size_t count, capacity;
};

struct scope {
    enum scope_field field;
    char *filter;
    bool include;
};

struct condition {
    enum rule_quantity quantity;
    enum rule_operator operator;
    double value;
};

struct rule {
    size_t detector;
    unsigned actions;
    int64_t shift_s;
    struct scope *scopes;
    struct condition *conditions;
    size_t scope_count, condition_count;
};

struct event {
    char *description;
    int64_t start_s, end_s;  // rounded to buckets
    unsigned actions;
    int64_t shift_s;
};

struct rulebook {
    const struct analysis *analysis;
    struct filter *filters;
    struct rule *rules;
    struct event *events;
    size_t filter_count, rule_count, event_count;
};

struct rulebook *rulebook_new(const struct analysis *a) {
    struct rulebook *b = calloc(1, sizeof *b);
    if (b) b->analysis = a;
    return b;
}

static void filter_clear(struct filter *f) {
    for (size_t i = 0; i < f->count; i++)
        free(f->items[i].text);
    free(f->items);
    free(f->id);
}

static void free_filters(struct rulebook *b) {
    for (size_t i = 0; i < b->filter_count; i++)
        filter_clear(&b->filters[i]);
    free(b->filters);
    b->filters = NULL;
    b->filter_count = 0;
}

static void free_rules(struct rulebook *b) {
    for (size_t i = 0; i < b->rule_count; i++) {
        struct rule *r = &b->rules[i];
        for (size_t j = 0; j < r->scope_count; j++)
            free(r->scopes[j].filter);
        free(r->scopes);
        free(r->conditions);
    }
    free(b->rules);
    b->rules = NULL;
    b->rule_count = 0;
}

static void free_events(struct rulebook *b) {
    for (size_t i = 0; i < b->event_count; i++)
        free(b->events[i].description);
    free(b->events);
    b->events = NULL;
    b->event_count = 0;
}

void rulebook_free(struct rulebook *b) {
    if (!b) return;
    free_filters(b);
    free_rules(b);
    free_events(b);
    free(b);
}

void rulebook_move(struct rulebook *b, struct rulebook *from, unsigned parts) {
    if (parts & RULEBOOK_FILTERS) {
        free_filters(b);
        b->filters = from->filters;
        b->filter_count = from->filter_count;
        from->filters = NULL;
        from->filter_count = 0;
    }
    if (parts & RULEBOOK_RULES) {
        free_rules(b);
        b->rules = from->rules;
        b->rule_count = from->rule_count;
        from->rules = NULL;
        from->rule_count = 0;
    }
    if (parts & RULEBOOK_EVENTS) {
        free_events(b);
        b->events = from->events;
        b->event_count = from->event_count;
        from->events = NULL;
        from->event_count = 0;
    }
}

// --- building -------------------------------------------------------------------------------

// Room for one more element of an array that grows by one: books are small and built once.
static void *one_more(void *array, size_t count, size_t size) {
    void **place = array;
    void *grown = realloc(*place, (count + 1) * size);
    if (!grown) return NULL;
    *place = grown;
    return (char *)grown + count * size;
}

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for a rule");
}

static struct filter *find_filter(const struct rulebook *b, const char *id) {
    for (size_t i = 0; i < b->filter_count; i++)
        if (strcmp(b->filters[i].id, id) == 0) return &b->filters[i];
    return NULL;
}

// The filter of an id, made when it is new; NULL when memory runs out.
static struct filter *get_filter(struct rulebook *b, const char *id) {
    struct filter *found = find_filter(b, id);
    if (found) return found;
    struct filter *added = one_more(&b->filters, b->filter_count, sizeof *added);
    char *copy = added ? strdup(id) : NULL;
    if (!copy) return NULL;
    *added = (struct filter){.id = copy};
    b->filter_count++;
    return added;
}

static bool filter_reserve(struct filter *f) {
    if (f->count < f->capacity) return true;
    size_t capacity = f->capacity ? 2 * f->capacity : 8;
    struct item *items = realloc(f->items, capacity * sizeof *items);
    if (!items) return false;
    f->items = items;
    f->capacity = capacity;
    return true;
}

enum status rulebook_add_item(struct rulebook *b, const char *filter, const char *item,
                              struct error *err) {
    struct filter *f = get_filter(b, filter);
    if (!f || !filter_reserve(f)) return no_memory(err);
    size_t size = strlen(item);
    struct item added = {.open_start = size > 0 && item[0] == '*'};
    if (added.open_start) item++, size--;
    added.open_end = size > 0 && item[size - 1] == '*';
    if (added.open_end) size--;
    added.text = strndup(item, size);
    added.size = size;
    if (!added.text) return no_memory(err);
    f->items[f->count++] = added;
    return STATUS_OK;
}

enum status rulebook_add_rule(struct rulebook *b, size_t detector, unsigned actions,
                              int64_t shift_s, struct error *err) {
    if (detector >= b->analysis->detector_count)
        return fail(err, STATUS_INVALID, "there is no detector %zu", detector);
    struct rule *added = one_more(&b->rules, b->rule_count, sizeof *added);
    if (!added) return no_memory(err);
    *added = (struct rule){.detector = detector, .actions = actions, .shift_s = shift_s};
    b->rule_count++;
    return STATUS_OK;
}

static struct rule *last_rule(struct rulebook *b) {
    return b->rule_count > 0 ? &b->rules[b->rule_count - 1] : NULL;
}

enum status rulebook_add_condition(struct rulebook *b, enum rule_quantity quantity,
                                   enum rule_operator operator, double value,
                                   struct error *err) {
    struct rule *rule = last_rule(b);
    if (!rule) return fail(err, STATUS_INVALID, "a condition without a rule");
    struct condition *added = one_more(&rule->conditions, rule->condition_count, sizeof *added);
    if (!added) return no_memory(err);
    *added = (struct condition){quantity, operator, value };
    rule->condition_count++;
    return STATUS_OK;
}

static bool names(const char *field, const char *wanted) {
    return field && strcmp(field, wanted) == 0;
}

enum status rulebook_add_scope(struct rulebook *b, const char *field, const char *filter,
                               bool include, struct error *err) {
    struct rule *rule = last_rule(b);
    if (!rule) return fail(err, STATUS_INVALID, "a scope without a rule");
    const struct detector *d = &b->analysis->detectors[rule->detector];
    struct scope added = {.include = include};
    if (names(d->partition, field))
        added.field = SCOPE_PARTITION;
    else if (names(d->by, field))
        added.field = SCOPE_BY;
    else if (names(d->over, field))
        added.field = SCOPE_OVER;
    else
        return fail(err, STATUS_INVALID, "detector %zu has no field '%s'", rule->detector,
                    field);
    struct scope *place = one_more(&rule->scopes, rule->scope_count, sizeof *place);
    if (!place || !(added.filter = strdup(filter))) return no_memory(err);
    *place = added;
    rule->scope_count++;
    return STATUS_OK;
}

enum status rulebook_add_event(struct rulebook *b, const char *description, int64_t start_s,
                               int64_t end_s, unsigned actions, int64_t shift_s,
                               struct error *err) {
    struct event *added = one_more(&b->events, b->event_count, sizeof *added);
    char *copy = added ? strdup(description) : NULL;
    if (!copy) return no_memory(err);
    int64_t end_bucket = analysis_bucket(b->analysis, end_s);
    if (end_bucket < end_s) end_bucket += b->analysis->bucket_span_s;
    *added = (struct event){.description = copy,
                            .start_s = analysis_bucket(b->analysis, start_s),
                            .end_s = end_bucket,
                            .actions = actions,
                            .shift_s = shift_s};
    b->event_count++;
    return STATUS_OK;
}

// --- asking ---------------------------------------------------------------------------------

static bool item_matches(const struct item *i, struct text value) {
    if (value.size < i->size) return false;
    if (i->size == 0) return i->open_start || i->open_end || value.size == 0;
    if (i->open_start && i->open_end)
        return memmem(value.data, value.size, i->text, i->size) != NULL;
    if (i->open_start) return memcmp(value.data + value.size - i->size, i->text, i->size) == 0;
    if (i->open_end) return memcmp(value.data, i->text, i->size) == 0;
    return value.size == i->size && memcmp(value.data, i->text, i->size) == 0;
}

static bool filter_matches(const struct filter *f, struct text value) {
    for (size_t i = 0; i < f->count; i++)
        if (item_matches(&f->items[i], value)) return true;
    return false;
}

static bool scope_holds(const struct rulebook *b, const struct scope *scope,
                        const struct rule_subject *s) {
    struct text value = scope->field == SCOPE_PARTITION ? s->partition
                        : scope->field == SCOPE_BY      ? s->by
                                                        : s->over;
    const struct filter *filter = find_filter(b, scope->filter);
    return (filter && filter_matches(filter, value)) == scope->include;
}

static double quantity(enum rule_quantity quantity, const struct rule_subject *s) {
    switch (quantity) {
    case RULE_ACTUAL:
        return s->actual;
    case RULE_TYPICAL:
        return s->typical;
    case RULE_DIFF_FROM_TYPICAL:
        return fabs(s->actual - s->typical);
    case RULE_TIME:
        return (double)s->time_s;
    }
    return NAN;
}

// Comparisons with NaN are false: a condition on what is not known does not hold.
static bool condition_holds(const struct condition *c, const struct rule_subject *s) {
    double value = quantity(c->quantity, s);
    switch (c->operator) {
    case RULE_LT:
        return value < c->value;
    case RULE_LTE:
        return value <= c->value;
    case RULE_GT:
        return value > c->value;
    case RULE_GTE:
        return value >= c->value;
    }
    return false;
}

static bool rule_applies(const struct rulebook *b, const struct rule *r,
                         const struct rule_subject *s) {
    if (r->detector != s->detector) return false;
    for (size_t i = 0; i < r->scope_count; i++)
        if (!scope_holds(b, &r->scopes[i], s)) return false;
    for (size_t i = 0; i < r->condition_count; i++)
        if (!condition_holds(&r->conditions[i], s)) return false;
    return true;
}

static bool event_covers(const struct event *e, int64_t bucket_s) {
    return bucket_s >= e->start_s && bucket_s < e->end_s;
}

unsigned rulebook_actions(const struct rulebook *b, const struct rule_subject *subject) {
    unsigned actions = 0;
    for (size_t i = 0; i < b->rule_count; i++)
        if (rule_applies(b, &b->rules[i], subject)) actions |= b->rules[i].actions;
    for (size_t i = 0; i < b->event_count; i++)
        if (event_covers(&b->events[i], subject->time_s)) actions |= b->events[i].actions;
    return actions;
}

static uint64_t hash_of(uint64_t seed, const void *bytes, size_t size) {
    uint64_t hash[2];
    key_hash(bytes, size, (uint32_t)(seed ^ seed >> 32), hash);
    return hash[0] ^ hash[1];
}

// A rule keeps its key from book to book as long as its detector, amount and conditions stay.
static uint64_t rule_key(const struct rule *r) {
    uint64_t key = hash_of(r->detector, &r->shift_s, sizeof r->shift_s);
    for (size_t i = 0; i < r->condition_count; i++) {
        const struct condition *c = &r->conditions[i];
        double parts[3] = {(double)c->quantity, (double)c->operator, c->value };
        key = hash_of(key, parts, sizeof parts);
    }
    return key;
}

static uint64_t event_key(const struct event *e, size_t detector) {
    int64_t parts[3] = {e->start_s, e->end_s, e->shift_s};
    return hash_of(detector + 1, parts, sizeof parts);
}

void rulebook_shifts(const struct rulebook *b, const struct rule_subject *subject,
                     void (*shift)(void *context, uint64_t key, int64_t shift_s),
                     void *context) {
    for (size_t i = 0; i < b->rule_count; i++) {
        const struct rule *r = &b->rules[i];
        if (r->actions & RULE_FORCE_TIME_SHIFT && rule_applies(b, r, subject))
            shift(context, rule_key(r), r->shift_s);
    }
    for (size_t i = 0; i < b->event_count; i++) {
        const struct event *e = &b->events[i];
        if (e->actions & RULE_FORCE_TIME_SHIFT && event_covers(e, subject->time_s))
            shift(context, event_key(e, subject->detector), e->shift_s);
    }
}

bool rulebook_concerns(const struct rulebook *b, size_t detector) {
    for (size_t i = 0; i < b->rule_count; i++)
        if (b->rules[i].detector == detector) return true;
    return b->event_count > 0;
}

bool rulebook_has_shifts(const struct rulebook *b, size_t detector) {
    for (size_t i = 0; i < b->rule_count; i++)
        if (b->rules[i].detector == detector && b->rules[i].actions & RULE_FORCE_TIME_SHIFT)
            return true;
    for (size_t i = 0; i < b->event_count; i++)
        if (b->events[i].actions & RULE_FORCE_TIME_SHIFT) return true;
    return false;
}

size_t rulebook_events(const struct rulebook *b, int64_t bucket_s, const char **out,
                       size_t most) {
    size_t count = 0;
    for (size_t i = 0; i < b->event_count && count < most; i++)
        if (event_covers(&b->events[i], bucket_s)) out[count++] = b->events[i].description;
    return count;
}

size_t rulebook_size(const struct rulebook *b) {
    size_t size = sizeof *b + b->rule_count * sizeof *b->rules +
                  b->event_count * sizeof *b->events + b->filter_count * sizeof *b->filters;
    for (size_t i = 0; i < b->filter_count; i++)
        size += b->filters[i].capacity * sizeof(struct item);
    return size;
}
