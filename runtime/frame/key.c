/* frame/key.c - see frame/key.h. */
#include "frame/key.h"

#include <stdlib.h>
#include <string.h>

void key_append(struct bytes *out, const struct column *const *columns, size_t count,
                size_t row) {
    for (size_t i = 0; i < count; i++) {
        size_t size;
        const char *text = column_text(columns[i], row, &size);
        if (i) bytes_append_char(out, KEY_SEPARATOR);
        if (text) bytes_append(out, text, size);
    }
}

// --- hashing ---------------------------------------------------------------------------------

#define MURMUR_1 0x87c37b91114253d5u
#define MURMUR_2 0x4cf5ad432745937fu

static uint64_t rotate(uint64_t x, int by) { return x << by | x >> (64 - by); }

static uint64_t finish(uint64_t h) {
    h = (h ^ h >> 33) * 0xff51afd7ed558ccdu;
    h = (h ^ h >> 33) * 0xc4ceb9fe1a85ec53u;
    return h ^ h >> 33;
}

static uint64_t scramble_1(uint64_t k) { return rotate(k * MURMUR_1, 31) * MURMUR_2; }
static uint64_t scramble_2(uint64_t k) { return rotate(k * MURMUR_2, 33) * MURMUR_1; }

// Up to 8 bytes, the first one lowest.
static uint64_t read_little(const uint8_t *bytes, size_t size) {
    uint64_t word = 0;
    for (size_t i = 0; i < size && i < 8; i++)
        word |= (uint64_t)bytes[i] << (8 * i);
    return word;
}

void key_hash(const void *bytes, size_t size, uint32_t seed, uint64_t hash[2]) {
    const uint8_t *at = bytes;
    uint64_t a = seed, b = seed;
    size_t left = size;
    for (; left >= 16; left -= 16, at += 16) {
        a = (rotate(a ^ scramble_1(read_little(at, 8)), 27) + b) * 5 + 0x52dce729;
        b = (rotate(b ^ scramble_2(read_little(at + 8, 8)), 31) + a) * 5 + 0x38495ab5;
    }
    if (left > 8) b ^= scramble_2(read_little(at + 8, left - 8));
    if (left > 0) a ^= scramble_1(read_little(at, left));
    a ^= size;
    b ^= size;
    a += b;
    b += a;
    a = finish(a);
    b = finish(b);
    a += b;
    hash[0] = a;
    hash[1] = b + a;
}

// --- numbering -------------------------------------------------------------------------------

#define NOBODY SIZE_MAX

struct key_index {
    struct bytes text;  // the keys, one after the other
    size_t *ends;       // [capacity] where key i ends in text
    size_t count, capacity;
    size_t *places;  // [place_count] id or NOBODY; open addressing
    size_t place_count;
};

struct key_index *key_index_new(void) {
    return calloc(1, sizeof(struct key_index));
}

void key_index_free(struct key_index *k) {
    if (!k) return;
    bytes_free(&k->text);
    free(k->ends);
    free(k->places);
    free(k);
}

size_t key_index_count(const struct key_index *k) { return k->count; }

const char *key_index_text(const struct key_index *k, size_t id, size_t *size) {
    size_t start = id ? k->ends[id - 1] : 0;
    *size = k->ends[id] - start;
    return k->text.data + start;
}

// The place of a key: the one that holds its id, or the free one where it belongs.
static size_t find_place(const struct key_index *k, const char *key, size_t size) {
    uint64_t hash[2];
    key_hash(key, size, 0, hash);
    size_t place = hash[0] & (k->place_count - 1);
    while (k->places[place] != NOBODY) {
        size_t known_size;
        const char *known = key_index_text(k, k->places[place], &known_size);
        if (known_size == size && memcmp(known, key, size) == 0) return place;
        place = (place + 1) & (k->place_count - 1);
    }
    return place;
}

// Room for twice as many keys; places are at most half full.
static enum status key_index_grow(struct key_index *k, struct error *err) {
    size_t capacity = k->capacity ? 2 * k->capacity : 64;
    size_t *places = malloc(2 * capacity * sizeof *places);
    size_t *ends = realloc(k->ends, capacity * sizeof *ends);
    if (ends) k->ends = ends;
    if (!places || !ends) {
        free(places);
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu entities", capacity);
    }
    free(k->places);
    k->places = places;
    k->place_count = 2 * capacity;
    k->capacity = capacity;
    for (size_t i = 0; i < k->place_count; i++)
        k->places[i] = NOBODY;
    for (size_t id = 0; id < k->count; id++) {
        size_t size;
        const char *key = key_index_text(k, id, &size);
        k->places[find_place(k, key, size)] = id;
    }
    return STATUS_OK;
}

enum status key_index_add(struct key_index *k, const char *key, size_t size, size_t *id,
                          struct error *err) {
    if (k->count == k->capacity) {
        enum status status = key_index_grow(k, err);
        if (status != STATUS_OK) return status;
    }
    size_t place = find_place(k, key, size);
    *id = k->places[place];
    if (*id != NOBODY) return STATUS_OK;
    bytes_append(&k->text, key, size);
    if (!bytes_ok(&k->text))
        return fail(err, STATUS_NO_MEMORY, "no memory for %zu entities", k->count + 1);
    *id = k->count++;
    k->ends[*id] = k->text.size;
    k->places[place] = *id;
    return STATUS_OK;
}

// --- ids of models ---------------------------------------------------------------------------

static void append_base64url(struct bytes *out, const uint64_t hash[2]) {
    static const char digits[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    uint8_t bytes[18] = {0};  // 16 of hash, highest first; the rest pads to whole groups of 3
    for (size_t i = 0; i < 16; i++)
        bytes[i] = (uint8_t)(hash[i / 8] >> (56 - 8 * (i % 8)));
    char text[24];
    for (size_t i = 0, at = 0; i < 18; i += 3) {
        unsigned group = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            text[at++] = digits[group >> shift & 63];
    }
    bytes_append(out, text, 22);
}

static void append_model_id(struct bytes *id, struct bytes *pairs, const char *const *names,
                            const struct column *const *columns, size_t count, size_t row) {
    bytes_clear(pairs);
    for (size_t i = 0; i < count; i++) {
        if (i) bytes_append_char(pairs, ',');
        bytes_append_text(pairs, names[i]);
        bytes_append_char(pairs, '=');
        key_append(pairs, &columns[i], 1, row);
    }
    uint64_t hash[2];
    key_hash(pairs->data, pairs->size, 42, hash);
    append_base64url(id, hash);
}

static enum status find_texts(const struct frame *f, const char *const *names, size_t count,
                              const struct column **columns, struct error *err) {
    for (size_t i = 0; i < count; i++) {
        columns[i] = frame_find(f, names[i]);
        if (!columns[i] || columns[i]->type != COLUMN_TEXT)
            return fail(err, STATUS_INVALID, "the frame has no text column '%s'", names[i]);
    }
    return STATUS_OK;
}

enum status frame_add_model_ids(struct frame *f, const char *name, const char *prefix,
                                const char *const *category, size_t count, struct error *err) {
    size_t at, prefix_size = strlen(prefix);
    enum status status = frame_add_column(f, name, COLUMN_TEXT, &at, err);
    if (status != STATUS_OK) return status;
    const struct column **columns = malloc((count + 1) * sizeof(*columns));
    if (!columns) return fail(err, STATUS_NO_MEMORY, "no memory for ids of models");
    struct bytes id = {0}, pairs = {0};
    bytes_append(&id, prefix, prefix_size);
    status = find_texts(f, category, count, columns, err);
    for (size_t row = 0; row < frame_rows(f) && status == STATUS_OK; row++) {
        id.size = prefix_size;
        append_model_id(&id, &pairs, category, columns, count, row);
        status = bytes_ok(&id) && bytes_ok(&pairs)
                     ? frame_set_text(f, at, row, id.data, id.size, err)
                     : fail(err, STATUS_NO_MEMORY, "no memory for ids of models");
    }
    bytes_free(&id);
    bytes_free(&pairs);
    free(columns);
    return status;
}
