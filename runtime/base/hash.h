/* base/hash.h - a quick 64-bit hash of bytes for tables in memory: two multiplications per 16
 * bytes, folded from 128 bits (the multiply-and-fold step of Wang Yi's wyhash, 2019). Not for
 * secrets, and not for anything that is stored. */
#ifndef BLIP_BASE_HASH_H
#define BLIP_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

static inline uint64_t hash_mix(uint64_t a, uint64_t b) {
    hash_wide product = (hash_wide)a * b;
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

// Up to 8 bytes as a number.
static inline uint64_t hash_tail(const unsigned char *at, size_t size) {
    uint64_t word = 0;
    for (size_t i = 0; i < size; i++)
        word |= (uint64_t)at[i] << (8 * i);
    return word;
}

static inline uint64_t hash_bytes(const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint64_t hash = hash_mix((uint64_t)size ^ 0x9E3779B97F4A7C15u, 0xBF58476D1CE4E5B9u);
    for (; size > 8; at += 8, size -= 8) {
        uint64_t word;
        memcpy(&word, at, 8);
        hash = hash_mix(word ^ 0xA0761D6478BD642Fu, hash ^ 0xE7037ED1A0B428DBu);
    }
    uint64_t rest = hash_tail(at, size);
    return hash_mix(rest ^ 0x8EBC6AF09C88C6E3u, hash ^ 0x589965CC75374CC3u);
}

/* Of three small numbers. */
static inline uint64_t hash_words(uint32_t a, uint32_t b, uint32_t c) {
    uint64_t ab = (uint64_t)a << 32 | b;
    return hash_mix(ab ^ 0xA0761D6478BD642Fu, (uint64_t)c ^ 0xE7037ED1A0B428DBu);
}

#endif
