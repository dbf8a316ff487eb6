/* work/schedule.c - see schedule.h: a binary heap by moment, and a map by key. */
#include "work/schedule.h"

#include "base/map.h"
#include "base/time.h"
#include <pthread.h>
#include <stdlib.h>

// A set clock is noticed within this time.
#define LONGEST_SLEEP_MS 1000

struct schedule {
    struct schedule_options options;
    uv_timer_t timer;
    struct loop_task rearm;
    pthread_mutex_t lock;  // guards everything below
    bool rearming;         // the task is posted
    struct map *by_key;
    struct schedule_entry **heap;  // heap[0] is due first
    size_t size, capacity;
};

// --- the heap --------------------------------------------------------------------------------

static void put(struct schedule *s, size_t place, struct schedule_entry *entry) {
    s->heap[place] = entry;
    entry->place = place;
}

static void sift_up(struct schedule *s, size_t place) {
    struct schedule_entry *entry = s->heap[place];
    while (place > 0) {
        size_t parent = (place - 1) / 2;
        if (s->heap[parent]->due_ms <= entry->due_ms) break;
        put(s, place, s->heap[parent]);
        place = parent;
    }
    put(s, place, entry);
}

static void sift_down(struct schedule *s, size_t place) {
    struct schedule_entry *entry = s->heap[place];
    for (size_t child; (child = 2 * place + 1) < s->size; place = child) {
        if (child + 1 < s->size && s->heap[child + 1]->due_ms < s->heap[child]->due_ms) child++;
        if (entry->due_ms <= s->heap[child]->due_ms) break;
        put(s, place, s->heap[child]);
    }
    put(s, place, entry);
}

static void heap_remove(struct schedule *s, struct schedule_entry *entry) {
    size_t place = entry->place;
    struct schedule_entry *last = s->heap[--s->size];
    if (last == entry) return;
    put(s, place, last);
    sift_up(s, place);
    sift_down(s, last->place);
}

static bool heap_reserve(struct schedule *s) {
    if (s->size < s->capacity) return true;
    size_t capacity = s->capacity ? s->capacity * 2 : 64;
    struct schedule_entry **heap = realloc(s->heap, capacity * sizeof *heap);
    if (!heap) return false;
    s->heap = heap;
    s->capacity = capacity;
    return true;
}

// --- the timer -------------------------------------------------------------------------------

static void on_timer(uv_timer_t *timer);

// Sets the timer to the first moment. Loop thread, locked.
static void arm(struct schedule *s) {
    if (s->size == 0) {
        uv_timer_stop(&s->timer);
        return;
    }
    int64_t wait = s->heap[0]->due_ms - time_now_ms();
    if (wait < 0) wait = 0;
    if (wait > LONGEST_SLEEP_MS) wait = LONGEST_SLEEP_MS;
    uv_update_time(s->timer.loop);
    uv_timer_start(&s->timer, on_timer, (uint64_t)wait, 0);
}

// Takes what is due now; NULL when nothing is.
static struct schedule_entry *take_due(struct schedule *s) {
    if (s->size == 0 || s->heap[0]->due_ms > time_now_ms()) return NULL;
    struct schedule_entry *entry = s->heap[0];
    heap_remove(s, entry);
    map_remove(s->by_key, entry->key);
    return entry;
}

static void on_timer(uv_timer_t *timer) {
    struct schedule *s = timer->data;
    pthread_mutex_lock(&s->lock);
    for (struct schedule_entry *entry; (entry = take_due(s));) {
        pthread_mutex_unlock(&s->lock);
        s->options.fire(s->options.context, entry);
        pthread_mutex_lock(&s->lock);
    }
    arm(s);
    pthread_mutex_unlock(&s->lock);
}

static void on_rearm(struct loop_task *task) {
    struct schedule *s = (void *)((char *)task - offsetof(struct schedule, rearm));
    pthread_mutex_lock(&s->lock);
    s->rearming = false;
    arm(s);
    pthread_mutex_unlock(&s->lock);
}

// --- the schedule ----------------------------------------------------------------------------

enum status schedule_new(const struct schedule_options *options, struct schedule **out,
                         struct error *err) {
    struct schedule *s = calloc(1, sizeof *s);
    struct map *by_key = map_new();
    if (!s || !by_key) {
        free(s);
        map_free(by_key);
        return fail(err, STATUS_NO_MEMORY, "not enough memory for the schedule");
    }
    s->options = *options;
    s->by_key = by_key;
    s->rearm.run = on_rearm;
    pthread_mutex_init(&s->lock, NULL);
    uv_timer_init(loop_uv(options->loop), &s->timer);
    s->timer.data = s;
    *out = s;
    return STATUS_OK;
}

static void on_closed(uv_handle_t *timer) { free(timer->data); }

void schedule_free(struct schedule *s) {
    if (!s) return;
    for (size_t i = 0; i < s->size; i++)
        s->options.release(s->heap[i]);
    free(s->heap);
    map_free(s->by_key);
    pthread_mutex_destroy(&s->lock);
    uv_close((uv_handle_t *)&s->timer, on_closed);
}

// Asks the loop thread to look at the heap again. Locked.
static void request_rearm(struct schedule *s) {
    if (s->rearming) return;
    s->rearming = true;
    loop_post(s->options.loop, &s->rearm);
}

// Links an entry in; returns the one whose place it took.
static struct schedule_entry *insert(struct schedule *s, struct schedule_entry *entry) {
    struct schedule_entry *old = map_get(s->by_key, entry->key);
    if (!heap_reserve(s) || !map_set(s->by_key, entry->key, entry)) return entry;
    if (old) heap_remove(s, old);
    put(s, s->size, entry);
    sift_up(s, s->size++);
    if (s->heap[0] == entry) request_rearm(s);
    return old;
}

enum status schedule_set(struct schedule *s, struct schedule_entry *entry, struct error *err) {
    pthread_mutex_lock(&s->lock);
    struct schedule_entry *old = insert(s, entry);
    pthread_mutex_unlock(&s->lock);
    if (old) s->options.release(old);
    if (old != entry) return STATUS_OK;
    return fail(err, STATUS_NO_MEMORY, "not enough memory for the schedule");
}

bool schedule_clear(struct schedule *s, const char *key) {
    pthread_mutex_lock(&s->lock);
    struct schedule_entry *entry = map_remove(s->by_key, key);
    if (entry) heap_remove(s, entry);
    pthread_mutex_unlock(&s->lock);
    if (entry) s->options.release(entry);
    return entry != NULL;
}

size_t schedule_size(struct schedule *s) {
    pthread_mutex_lock(&s->lock);
    size_t size = s->size;
    pthread_mutex_unlock(&s->lock);
    return size;
}
