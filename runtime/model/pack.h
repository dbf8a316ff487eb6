/* model/pack.h - a model's state as bytes, and back again without trusting them.
 * Numbers are little-endian and unaligned; there is no padding. */
#ifndef BLIP_MODEL_PACK_H
#define BLIP_MODEL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A writer. With bytes NULL, or past its capacity, it only counts: run it once to learn the
 * size, once to write. */
struct pack {
    uint8_t *bytes;
    size_t capacity;
    size_t size;  // written, or needed
};

void pack_bytes(struct pack *p, const void *data, size_t size);
void pack_u8(struct pack *p, uint8_t value);
void pack_u16(struct pack *p, uint16_t value);
void pack_u32(struct pack *p, uint32_t value);
void pack_u64(struct pack *p, uint64_t value);
void pack_f64(struct pack *p, double value);

/* A reader. What lies beyond the end reads as zeros and sets `failed`, so that a caller may
 * read a whole structure and look once. */
struct unpack {
    const uint8_t *bytes;
    size_t size;
    size_t at;
    bool failed;
};

void unpack_bytes(struct unpack *u, void *data, size_t size);
uint8_t unpack_u8(struct unpack *u);
uint16_t unpack_u16(struct unpack *u);
uint32_t unpack_u32(struct unpack *u);
uint64_t unpack_u64(struct unpack *u);
double unpack_f64(struct unpack *u);
double unpack_finite(struct unpack *u);      // a double; fails when it is NaN or infinite
size_t unpack_left(const struct unpack *u);  // bytes not read yet

/* A 64-bit checksum against damage, not against malice. */
uint64_t pack_checksum(const uint8_t *bytes, size_t size);

#endif
