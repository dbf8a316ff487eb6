/* base/secret.h - passwords and keys, by libsodium.
 * Passwords are hashed with Argon2id at the library's interactive cost: 64 MiB and about 50 ms.
 * That is too slow for each request, so that answers are remembered:
 *
 *     hash, password ─▶ BLAKE2b with a key of this process ─▶ remembered? ─ yes ─▶ answer
 *                                                                  └─ no ─▶ Argon2id, in turn
 *
 * An answer never grows old: it belongs to the hash, and a changed password has another one.
 * Somebody who guesses passwords takes no more than two threads: more are told that all are
 * busy, and those whose answers are remembered notice nothing.
 * Keys that we have drawn ourselves hold 128 bits and more; a plain digest keeps those. */
#ifndef BLIP_BASE_SECRET_H
#define BLIP_BASE_SECRET_H

#include "base/bytes.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

#define SECRET_HASH_SIZE 128   // a password's hash as text, with its terminator
#define SECRET_DIGEST_SIZE 65  // a digest in hex, with its terminator

/* Hashes a password. STATUS_NO_MEMORY. */
enum status secret_hash(const char *password, size_t size, char out[SECRET_HASH_SIZE],
                        struct error *err);

/* Is a text what secret_hash() writes, whatever its cost? */
bool secret_is_hash(const char *text);

/* Fills *matches: is it a hash of this password? False also for what is no hash, and when
 * memory runs out. Any thread; takes long at first, and then as long for a wrong password as
 * for a right one. STATUS_BUSY when too many others are being hashed. */
enum status secret_matches(const char *hash, const char *password, size_t size, bool *matches,
                           struct error *err);

/* Writes the digest of what has no need of a slow hash. */
void secret_digest(const void *data, size_t size, char out[SECRET_DIGEST_SIZE]);

/* Are both the same? Takes as long for all texts of one size. */
bool secret_equal(const void *a, size_t a_size, const void *b, size_t b_size);

/* Fills bytes that nobody can guess. */
void secret_random(void *out, size_t size);

/* Replaces a file by one that its owner alone may read; it is whole or as it was before.
 * STATUS_DENIED, STATUS_FAILED with the system's reason. */
enum status secret_save(const char *path, const void *data, size_t size, struct error *err);

/* Appends base64: with "+", "/" and padding, or as it may stand in a URL, without. */
void secret_encode64(const void *data, size_t size, bool for_url, struct bytes *out);

/* Appends what base64 of the first kind stands for; its padding may lack. False, and nothing
 * appended, when it is none; see also bytes_ok(). */
bool secret_decode64(const char *text, size_t size, struct bytes *out);

#endif
