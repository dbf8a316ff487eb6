/* job/limit.c - see limit.h. */
#include "job/limit.h"

#include <math.h>
#include <stdlib.h>

#define HOUR_S 3600.0
#define YOUNG_S (2 * HOUR_S)
#define YOUNG_SHARE 0.7
#define PRUNE_SHARE 0.6
#define SHRINK_AN_HOUR 0.01
#define DECAY_RATE 0.0005     // per half hour: chapter 1
#define WINDOW_MOST 1e6       // buckets
#define WORTH_REPORTING 0.01  // share by which the size has moved

static double decay_rate(const struct limit *l) {
    return DECAY_RATE * fmin(1, (double)l->bucket_span_s / 1800);
}

static double widest(const struct limit *l) { return fmin(4 / decay_rate(l), WINDOW_MOST); }

static double narrowest(const struct limit *l) {
    return fmin(0.25 / decay_rate(l), WINDOW_MOST);
}

void limit_init(struct limit *l, uint64_t limit_bytes, int64_t bucket_span_s,
                int64_t prune_window_s) {
    *l = (struct limit){.limit_bytes = limit_bytes,
                        .bucket_span_s = bucket_span_s,
                        .prune_window_s = prune_window_s,
                        .first_s = INT64_MIN,
                        .last_s = INT64_MIN};
    l->window_buckets = widest(l);
}

double limit_allowed(const struct limit *l, int64_t bucket_s) {
    double limit = (double)l->limit_bytes;
    if (l->first_s == INT64_MIN) return YOUNG_SHARE * limit;
    double age = fmin((double)(bucket_s - l->first_s) / YOUNG_S, 1);
    return limit * (YOUNG_SHARE + (1 - YOUNG_SHARE) * age);
}

bool limit_admit(struct limit *l, uint64_t bytes) {
    double now = (double)(l->used_bytes + l->promised_bytes + bytes);
    bool fits = l->limit_bytes == 0 || now <= limit_allowed(l, l->last_s);
    if (fits)
        l->promised_bytes += bytes;
    else
        l->refused = true;
    return fits;
}

static void move_window(struct limit *l, double used) {
    double step = 1 - SHRINK_AN_HOUR * fmin((double)l->bucket_span_s / HOUR_S, 1);
    bool pressed = used > PRUNE_SHARE * (double)l->limit_bytes;
    double window = pressed ? l->window_buckets * step : l->window_buckets / step;
    l->window_buckets = fmin(fmax(window, narrowest(l)), widest(l));
}

static enum memory_status status_of(const struct limit *l, double used) {
    if (l->limit_bytes == 0) return MEMORY_OK;
    if (l->refused) return MEMORY_HARD_LIMIT;
    return used > PRUNE_SHARE * (double)l->limit_bytes ? MEMORY_SOFT_LIMIT : MEMORY_OK;
}

static bool worth_reporting(const struct limit *l) {
    double moved = fabs((double)l->used_bytes - (double)l->reported_bytes);
    return moved > WORTH_REPORTING * (double)l->reported_bytes;
}

bool limit_close(struct limit *l, int64_t bucket_s, uint64_t used_bytes) {
    if (l->first_s == INT64_MIN) l->first_s = bucket_s;
    l->last_s = bucket_s;
    l->used_bytes = used_bytes;
    l->promised_bytes = 0;
    if (used_bytes > l->peak_bytes) l->peak_bytes = used_bytes;
    if (l->limit_bytes > 0) move_window(l, (double)used_bytes);
    enum memory_status before = l->status;
    l->status = status_of(l, (double)used_bytes);
    l->failures += l->refused;
    l->refused = false;
    bool report = worth_reporting(l) || l->status != before;
    if (report) l->reported_bytes = used_bytes;
    return report;
}

int64_t limit_prune_before(const struct limit *l, int64_t bucket_s) {
    int64_t before = l->prune_window_s > 0 ? bucket_s - l->prune_window_s : INT64_MIN;
    if (l->status == MEMORY_OK) return before;
    int64_t pressed = bucket_s - (int64_t)(l->window_buckets * (double)l->bucket_span_s);
    return pressed > before ? pressed : before;
}

const char *memory_status_name(enum memory_status status) {
    static const char *const names[] = {"ok", "soft_limit", "hard_limit"};
    return names[status];
}

void limit_save(const struct limit *l, struct pack *p) {
    pack_f64(p, l->window_buckets);
    pack_u64(p, (uint64_t)l->first_s);
    pack_u64(p, (uint64_t)l->last_s);
    pack_u64(p, l->used_bytes);
    pack_u64(p, l->peak_bytes);
    pack_u64(p, l->reported_bytes);
    pack_u64(p, l->promised_bytes);
    pack_u64(p, l->failures);
    pack_u8(p, (uint8_t)l->status);
    pack_u8(p, l->refused);
}

void limit_load(struct limit *l, struct unpack *u) {
    double window = unpack_f64(u);
    l->first_s = (int64_t)unpack_u64(u);
    l->last_s = (int64_t)unpack_u64(u);
    l->used_bytes = unpack_u64(u);
    l->peak_bytes = unpack_u64(u);
    l->reported_bytes = unpack_u64(u);
    l->promised_bytes = unpack_u64(u);
    l->failures = unpack_u64(u);
    uint8_t status = unpack_u8(u);
    l->refused = unpack_u8(u) != 0;
    if (!(window >= narrowest(l) && window <= widest(l)) || status > MEMORY_HARD_LIMIT)
        u->failed = true;
    if (u->failed) return;
    l->window_buckets = window;
    l->status = (enum memory_status)status;
}
