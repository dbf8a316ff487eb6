/* model/pack.c - see pack.h. */
#include "model/pack.h"

#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "saved models are little-endian: swap the bytes in pack_bytes() on this machine"
#endif

void pack_bytes(struct pack *p, const void *data, size_t size) {
    if (size == 0) return;  // data may then be NULL
    if (p->bytes && p->size <= p->capacity && size <= p->capacity - p->size)
        memcpy(p->bytes + p->size, data, size);
    p->size += size;
}

void pack_u8(struct pack *p, uint8_t value) { pack_bytes(p, &value, sizeof value); }
void pack_u16(struct pack *p, uint16_t value) { pack_bytes(p, &value, sizeof value); }
void pack_u32(struct pack *p, uint32_t value) { pack_bytes(p, &value, sizeof value); }
void pack_u64(struct pack *p, uint64_t value) { pack_bytes(p, &value, sizeof value); }
void pack_f64(struct pack *p, double value) { pack_bytes(p, &value, sizeof value); }

void unpack_bytes(struct unpack *u, void *data, size_t size) {
    if (size == 0) return;
    if (u->failed || size > u->size - u->at) {
        u->failed = true;
        memset(data, 0, size);
        return;
    }
    memcpy(data, u->bytes + u->at, size);
    u->at += size;
}

uint8_t unpack_u8(struct unpack *u) {
    uint8_t value;
    unpack_bytes(u, &value, sizeof value);
    return value;
}

uint16_t unpack_u16(struct unpack *u) {
    uint16_t value;
    unpack_bytes(u, &value, sizeof value);
    return value;
}

uint32_t unpack_u32(struct unpack *u) {
    uint32_t value;
    unpack_bytes(u, &value, sizeof value);
    return value;
}

uint64_t unpack_u64(struct unpack *u) {
    uint64_t value;
    unpack_bytes(u, &value, sizeof value);
    return value;
}

double unpack_f64(struct unpack *u) {
    double value;
    unpack_bytes(u, &value, sizeof value);
    return value;
}

double unpack_finite(struct unpack *u) {
    double value = unpack_f64(u);
    if (value - value == 0) return value;  // not so for NaN and infinities
    u->failed = true;
    return 0;
}

size_t unpack_left(const struct unpack *u) { return u->failed ? 0 : u->size - u->at; }

uint64_t pack_checksum(const uint8_t *bytes, size_t size) {
    const uint64_t prime = 0x9E3779B97F4A7C15u;  // 2^64 / golden ratio: odd, well mixed
    uint64_t hash = size * prime;
    while (size > 0) {
        uint64_t word = 0;
        size_t step = size < sizeof word ? size : sizeof word;
        memcpy(&word, bytes, step);
        hash = (hash ^ word) * prime;
        hash ^= hash >> 29;
        bytes += step;
        size -= step;
    }
    return hash;
}
