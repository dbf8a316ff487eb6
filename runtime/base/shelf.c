/* base/shelf.c - see shelf.h. */
#include "base/shelf.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

struct shelf_entry {
    char *key;
    void *thing;  // NULL while lent
};

static struct shelf_entry *find(const struct shelf *s, const char *key) {
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->entries[i].key, key) == 0) return &s->entries[i];
    return NULL;
}

static struct shelf_entry *add(struct shelf *s, const char *key) {
    if (s->count == s->capacity) {
        size_t capacity = s->capacity ? 2 * s->capacity : 16;
        struct shelf_entry *entries = realloc(s->entries, capacity * sizeof *entries);
        if (!entries) return NULL;
        s->entries = entries;
        s->capacity = capacity;
    }
    char *copy = strdup(key);
    if (!copy) return NULL;
    struct shelf_entry *entry = &s->entries[s->count++];
    *entry = (struct shelf_entry){.key = copy};
    return entry;
}

enum status shelf_borrow(struct shelf *s, const char *key, void **out, struct error *err) {
    pthread_mutex_lock(&s->lock);
    struct shelf_entry *entry = find(s, key);
    *out = entry ? entry->thing : NULL;
    bool lent = entry && !entry->thing;
    if (entry) entry->thing = NULL;
    pthread_mutex_unlock(&s->lock);
    if (lent) return fail(err, STATUS_BUSY, "the %s of '%s' are in use", s->what, key);
    if (!entry) return fail(err, STATUS_NOT_FOUND, "there are no %s of '%s'", s->what, key);
    return STATUS_OK;
}

enum status shelf_give_back(struct shelf *s, const char *key, void *thing, struct error *err) {
    pthread_mutex_lock(&s->lock);
    struct shelf_entry *entry = find(s, key);
    bool taken = entry && entry->thing;
    if (!entry) entry = add(s, key);
    if (entry && !taken) entry->thing = thing;
    pthread_mutex_unlock(&s->lock);
    if (taken) return fail(err, STATUS_CONFLICT, "there are other %s of '%s'", s->what, key);
    if (!entry)
        return fail(err, STATUS_NO_MEMORY, "no memory for the %s of '%s'", s->what, key);
    return STATUS_OK;
}

void *shelf_drop(struct shelf *s, const char *key) {
    pthread_mutex_lock(&s->lock);
    struct shelf_entry *entry = find(s, key);
    struct shelf_entry gone = {0};
    if (entry) {
        gone = *entry;
        *entry = s->entries[--s->count];
    }
    pthread_mutex_unlock(&s->lock);
    free(gone.key);
    return gone.thing;
}

void shelf_each(struct shelf *s, void (*visit)(void *context, void *thing), void *context) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count; i++)
        if (s->entries[i].thing) visit(context, s->entries[i].thing);
    pthread_mutex_unlock(&s->lock);
}
