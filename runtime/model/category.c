#include "model/category.h"

#include "model/chance.h"
#include "model/special.h"
#include <math.h>
#include <stdlib.h>

#define KEPT 0.8     // a smaller count vanishes
#define RAISED 1.05  // samples of a share are taken a little larger
#define MOST_SAMPLES 7
#define VALUE_BYTES 16  // of a saved value

struct value {
    uint64_t key;
    double count;
    double below;  // total count of the values up to this one; set by prepare()
    double p;      // its probability once that was asked for, else 0
};

// Values stand in ascending order of their keys, so that equal contents are equal bytes; new
// ones wait at the end until the next question or ageing sorts them in.
struct category {
    struct value *values;
    size_t count, sorted, capacity;
    uint32_t *ranks;  // [capacity] values by ascending count, good while `ranked`
    double total;
    bool ranked;
};

struct category *category_new(void) {
    return calloc(1, sizeof(struct category));
}

void category_free(struct category *c) {
    if (!c) return;
    free(c->values);
    free(c->ranks);
    free(c);
}

// --- learning --------------------------------------------------------------------------------

static int by_key(const void *left, const void *right) {
    uint64_t a = ((const struct value *)left)->key, b = ((const struct value *)right)->key;
    return (a > b) - (a < b);
}

/* Sorts waiting values in; counts of one key become one. */
static void settle(struct category *c) {
    if (c->sorted == c->count) return;
    qsort(c->values, c->count, sizeof *c->values, by_key);
    size_t to = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (to > 0 && c->values[to - 1].key == c->values[i].key)
            c->values[to - 1].count += c->values[i].count;
        else
            c->values[to++] = c->values[i];
    }
    c->count = c->sorted = to;
}

static struct value *find(const struct category *c, uint64_t key) {
    struct value wanted = {.key = key};
    return c->sorted ? bsearch(&wanted, c->values, c->sorted, sizeof *c->values, by_key) : NULL;
}

static enum status make_room(struct category *c, struct error *err) {
    if (c->count < c->capacity) return STATUS_OK;
    size_t capacity = c->capacity ? c->capacity * 2 : 8;
    struct value *values = realloc(c->values, capacity * sizeof *values);
    if (values) c->values = values;
    uint32_t *ranks = realloc(c->ranks, capacity * sizeof *ranks);
    if (ranks) c->ranks = ranks;
    if (!values || !ranks)
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu categories", capacity);
    c->capacity = capacity;
    return STATUS_OK;
}

enum status category_learn(struct category *c, uint64_t key, double amount, struct error *err) {
    if (amount < 0) settle(c);
    struct value *known = find(c, key);
    if (!known) {
        if (amount <= 0) return STATUS_OK;
        enum status status = make_room(c, err);
        if (status != STATUS_OK) return status;
        c->values[c->count++] = (struct value){.key = key, .count = amount};
    } else {
        known->count = fmax(known->count + amount, 0);
    }
    c->ranked = false;
    return STATUS_OK;
}

void category_age(struct category *c, double keep) {
    settle(c);
    size_t to = 0;
    for (size_t i = 0; i < c->count; i++) {
        c->values[i].count *= keep;
        if (c->values[i].count >= KEPT) c->values[to++] = c->values[i];
    }
    c->count = c->sorted = to;
    c->ranked = false;
}

// --- asking ----------------------------------------------------------------------------------

static int by_count(const void *left, const void *right, void *values) {
    const struct value *a = (const struct value *)values + *(const uint32_t *)left;
    const struct value *b = (const struct value *)values + *(const uint32_t *)right;
    if (a->count != b->count) return a->count < b->count ? -1 : 1;
    return (a->key > b->key) - (a->key < b->key);
}

/* Ranks the values and sums their counts; values of one count have the sum of all of them. */
static void prepare(struct category *c) {
    if (c->ranked) return;
    settle(c);
    for (size_t i = 0; i < c->count; i++)
        c->ranks[i] = (uint32_t)i;
    if (c->count) qsort_r(c->ranks, c->count, sizeof *c->ranks, by_count, c->values);
    double sum = 0;
    for (size_t from = 0; from < c->count;) {
        size_t end = from;
        double count = c->values[c->ranks[from]].count;
        for (; end < c->count && c->values[c->ranks[end]].count == count; end++)
            sum += count;
        for (; from < end; from++) {
            c->values[c->ranks[from]].below = sum;
            c->values[c->ranks[from]].p = 0;
        }
    }
    c->total = sum;
    c->ranked = true;
}

/* P(e): the share of all in values that are as rare as a share, or rarer; between the known
 * shares a line, below the smallest one from 0. */
static double as_rare(const struct category *c, double share) {
    double wanted = share * c->total;
    size_t low = 0, high = c->count;  // the first rank whose count is not below it
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (c->values[c->ranks[middle]].count < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    if (low == c->count) return 1;
    const struct value *next = &c->values[c->ranks[low]];
    if (low == 0) return next->below / c->total * (wanted / next->count);
    const struct value *before = &c->values[c->ranks[low - 1]];
    double part = (wanted - before->count) / (next->count - before->count);
    return (before->below + part * (next->below - before->below)) / c->total;
}

static size_t samples_for(double total) {
    return total <= 100 ? MOST_SAMPLES : total <= 1000 ? 5 : total <= 10000 ? 3 : 1;
}

/* P expected over the beta distribution of the value's share, taken as the means of n slices
 * of equal probability. */
static double expected(const struct category *c, double count) {
    double others = c->total - count, share = count / c->total, sum = 0, before = 0;
    size_t n = samples_for(c->total);
    if (n == 1 || others < KEPT) return as_rare(c, fmin(RAISED * share, 1));
    for (size_t k = 1; k <= n; k++) {
        double upper = 1;  // of I(a + 1, b) at the slice's end
        if (k < n) {
            double end = special_beta_quantile(count, others, (double)k / (double)n);
            upper = special_beta_below(count + 1, others, end);
        }
        sum += as_rare(c, fmin(RAISED * (double)n * share * (upper - before), 1));
        before = upper;
    }
    return sum / (double)n;
}

double category_probability(struct category *c, uint64_t key) {
    prepare(c);
    if (c->count == 0 || c->total <= 0) return 1;
    struct value *known = find(c, key);
    if (!known || known->count <= 0) known = &c->values[c->ranks[0]];
    if (known->count <= 0) return 1;
    if (known->p <= 0) known->p = fmin(fmax(expected(c, known->count), CHANCE_SMALLEST), 1);
    return known->p;
}

double category_share(struct category *c, uint64_t key) {
    prepare(c);
    const struct value *known = find(c, key);
    return known && c->total > 0 ? known->count / c->total : 0;
}

double category_rarity(struct category *c, uint64_t key) {
    double share = category_share(c, key);
    return share > 0 ? 1 / (share * (double)c->count) : 0;
}

double category_weight(double part, size_t n) { return 1 - pow(1 - part, (double)n); }

size_t category_count(const struct category *c) { return c->count; }

size_t category_size(const struct category *c) {
    return sizeof *c + c->count * (sizeof *c->values + sizeof *c->ranks);
}

// --- bytes -----------------------------------------------------------------------------------

void category_save(const struct category *c, struct pack *to) {
    pack_u64(to, c->count);
    pack_u64(to, c->sorted);
    for (size_t i = 0; i < c->count; i++) {
        pack_u64(to, c->values[i].key);
        pack_f64(to, c->values[i].count);
    }
}

static enum status load_values(struct category *c, struct unpack *from, struct error *err) {
    uint64_t count = unpack_u64(from), sorted = unpack_u64(from);
    if (from->failed || sorted > count || count > unpack_left(from) / VALUE_BYTES)
        return fail(err, STATUS_INVALID, "no saved categories");
    for (size_t i = 0; i < count; i++) {
        enum status status = make_room(c, err);
        if (status != STATUS_OK) return status;
        struct value *value = &c->values[c->count++];
        *value = (struct value){.key = unpack_u64(from), .count = unpack_f64(from)};
        bool ordered = i == 0 || i >= sorted || value[-1].key < value->key;
        if (!ordered || !(value->count >= 0 && value->count < 1e15))
            return fail(err, STATUS_INVALID, "the saved categories are damaged");
    }
    c->sorted = (size_t)sorted;
    return STATUS_OK;
}

enum status category_load(struct unpack *from, struct category **out, struct error *err) {
    *out = NULL;
    struct category *c = category_new();
    if (!c) return fail(err, STATUS_NO_MEMORY, "no memory for categories");
    enum status status = load_values(c, from, err);
    if (status != STATUS_OK) {
        category_free(c);
        return status;
    }
    *out = c;
    return STATUS_OK;
}
