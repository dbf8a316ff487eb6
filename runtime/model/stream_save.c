/* model/stream_save.c - the state of a stream as bytes. */
#include "model/stream.h"

static const uint64_t most_buckets = (uint64_t)1 << 62;  // counting on never wraps

void stream_save(const struct stream *s, const struct model_options *o, struct pack *out) {
    pack_u64(out, s->seen);
    pack_u64(out, s->bucket);
    pack_u64(out, (uint64_t)s->last_time);
    deviation_save(&s->gaps, out);
    deviation_save(&s->quality, out);
    for (size_t i = 0; i < o->features; i++)
        transform_save(&s->moments[i], out);
    pack_bytes(out, s->history, (o->shingle + 1) * o->features * sizeof *s->history);
    pack_bytes(out, s->filled, o->shingle);
    if (!stream_holds(s, o)) return;
    pack_bytes(out, s->initial, s->seen * o->features * sizeof *s->initial);
    pack_bytes(out, s->initial_times, s->seen * sizeof *s->initial_times);
}

static bool load_initial(struct stream *s, const struct model_options *o, struct unpack *in) {
    size_t count = s->seen * o->features;
    unpack_bytes(in, s->initial, count * sizeof *s->initial);
    unpack_bytes(in, s->initial_times, s->seen * sizeof *s->initial_times);
    for (size_t i = 0; i < count; i++)
        if (fabs(s->initial[i]) > TRANSFORM_MAX) return false;  // NaN is a missing one
    return true;
}

bool stream_load(struct stream *s, const struct model_options *o, struct unpack *in) {
    s->seen = unpack_u64(in);
    s->bucket = unpack_u64(in);
    s->last_time = (int64_t)unpack_u64(in);
    bool good = s->seen <= s->bucket && s->bucket <= most_buckets;
    good &= deviation_load(&s->gaps, in);
    good &= deviation_load(&s->quality, in);
    for (size_t i = 0; i < o->features; i++)
        good &= transform_load(&s->moments[i], in);
    size_t values = (o->shingle + 1) * o->features;
    unpack_bytes(in, s->history, values * sizeof *s->history);
    unpack_bytes(in, s->filled, o->shingle);
    for (size_t i = 0; i < values; i++)
        good &= isfinite(s->history[i]) != 0;
    for (size_t i = 0; i < o->shingle; i++)
        good &= s->filled[i] <= 1;
    if (!good || in->failed) return false;
    return stream_holds(s, o) ? load_initial(s, o, in) : true;
}
