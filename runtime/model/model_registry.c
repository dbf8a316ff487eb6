/* model/model_registry.c - see model_registry.h. */
#include "model/model_registry.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    char *key;
    struct model_set *set;  // NULL while lent
};

// Detectors are few: a plain array, searched from the start.
static struct {
    pthread_mutex_t lock;  // guards all below
    struct entry *entries;
    size_t count, capacity;
} registry = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct entry *find(const char *key) {
    for (size_t i = 0; i < registry.count; i++)
        if (strcmp(registry.entries[i].key, key) == 0) return &registry.entries[i];
    return NULL;
}

static struct entry *add(const char *key) {
    if (registry.count == registry.capacity) {
        size_t capacity = registry.capacity ? 2 * registry.capacity : 16;
        struct entry *entries = realloc(registry.entries, capacity * sizeof *entries);
        if (!entries) return NULL;
        registry.entries = entries;
        registry.capacity = capacity;
    }
    char *copy = strdup(key);
    if (!copy) return NULL;
    struct entry *entry = &registry.entries[registry.count++];
    *entry = (struct entry){.key = copy};
    return entry;
}

enum status model_registry_borrow(const char *key, struct model_set **out, struct error *err) {
    pthread_mutex_lock(&registry.lock);
    struct entry *entry = find(key);
    *out = entry ? entry->set : NULL;
    bool lent = entry && !entry->set;
    if (entry) entry->set = NULL;
    pthread_mutex_unlock(&registry.lock);
    if (lent) return fail(err, STATUS_BUSY, "the models of '%s' are in use", key);
    if (!entry) return fail(err, STATUS_NOT_FOUND, "there are no models of '%s'", key);
    return STATUS_OK;
}

enum status model_registry_give_back(const char *key, struct model_set *set,
                                     struct error *err) {
    pthread_mutex_lock(&registry.lock);
    struct entry *entry = find(key);
    bool taken = entry && entry->set;
    if (!entry) entry = add(key);
    if (entry && !taken) entry->set = set;
    pthread_mutex_unlock(&registry.lock);
    if (taken) return fail(err, STATUS_CONFLICT, "there are other models of '%s'", key);
    if (!entry) return fail(err, STATUS_NO_MEMORY, "no memory for the models of '%s'", key);
    return STATUS_OK;
}

void model_registry_drop(const char *key) {
    pthread_mutex_lock(&registry.lock);
    struct entry *entry = find(key);
    struct entry gone = {0};
    if (entry) {
        gone = *entry;
        *entry = registry.entries[--registry.count];
    }
    pthread_mutex_unlock(&registry.lock);
    free(gone.key);
    model_set_free(gone.set);
}

size_t model_registry_size_bytes(void) {
    size_t size = 0;
    pthread_mutex_lock(&registry.lock);
    for (size_t i = 0; i < registry.count; i++)
        if (registry.entries[i].set) size += model_set_size_bytes(registry.entries[i].set);
    pthread_mutex_unlock(&registry.lock);
    return size;
}

void model_registry_clear(void) {
    pthread_mutex_lock(&registry.lock);
    for (size_t i = 0; i < registry.count; i++) {
        free(registry.entries[i].key);
        model_set_free(registry.entries[i].set);
    }
    free(registry.entries);
    registry.entries = NULL;
    registry.count = registry.capacity = 0;
    pthread_mutex_unlock(&registry.lock);
}
