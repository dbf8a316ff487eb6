/* base/secret.c - see secret.h. */
#include "base/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define ANSWERS 1024
#define QUESTIONS 2
#define MARK_SIZE crypto_generichash_BYTES

_Static_assert(SECRET_HASH_SIZE == crypto_pwhash_STRBYTES, "libsodium's hashes have this size");
_Static_assert(SECRET_DIGEST_SIZE == 2 * crypto_generichash_BYTES + 1, "two hex digits a byte");

// What was found out of a hash and a password; a mark of zeros is an empty place.
struct answer {
    unsigned char mark[MARK_SIZE];
    bool matches;
};

static pthread_once_t once = PTHREAD_ONCE_INIT;
static unsigned char process_key[crypto_generichash_KEYBYTES];

// A hash and a password that threads look into; a place without askers is free.
struct question {
    unsigned char mark[MARK_SIZE];
    unsigned askers;
};

static pthread_mutex_t answers_lock = PTHREAD_MUTEX_INITIALIZER;  // guards these two
static struct answer answers[ANSWERS];
static struct question questions[QUESTIONS];

// Held while a password is hashed: many guesses at once share the memory of one.
static pthread_mutex_t hashing_lock = PTHREAD_MUTEX_INITIALIZER;

static void start(void) {
    if (sodium_init() < 0) abort();  // no source of randomness: nothing here would be secret
    randombytes_buf(process_key, sizeof process_key);
}

static void need_start(void) { pthread_once(&once, start); }

enum status secret_hash(const char *password, size_t size, char out[SECRET_HASH_SIZE],
                        struct error *err) {
    need_start();
    if (crypto_pwhash_str(out, password, size, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) == 0)
        return STATUS_OK;
    return fail(err, STATUS_NO_MEMORY, "not enough memory to hash a password");
}

bool secret_is_hash(const char *text) {
    if (strlen(text) >= SECRET_HASH_SIZE) return false;
    need_start();
    return crypto_pwhash_str_needs_rehash(text, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                                          crypto_pwhash_MEMLIMIT_INTERACTIVE) >= 0;
}

static void make_mark(const char *hash, const char *password, size_t size,
                      unsigned char mark[MARK_SIZE]) {
    crypto_generichash_state state;
    crypto_generichash_init(&state, process_key, sizeof process_key, MARK_SIZE);
    crypto_generichash_update(&state, (const unsigned char *)hash, strlen(hash) + 1);
    crypto_generichash_update(&state, (const unsigned char *)password, size);
    crypto_generichash_final(&state, mark, MARK_SIZE);
    sodium_memzero(&state, sizeof state);
}

// The one place where a mark's answer may be.
static struct answer *place_of(const unsigned char mark[MARK_SIZE]) {
    size_t number;
    memcpy(&number, mark, sizeof number);
    return &answers[number % ANSWERS];
}

// Fills *matches when the answer is remembered.
static bool recall(const unsigned char mark[MARK_SIZE], bool *matches) {
    pthread_mutex_lock(&answers_lock);
    const struct answer *answer = place_of(mark);
    bool known = sodium_memcmp(answer->mark, mark, MARK_SIZE) == 0;
    if (known) *matches = answer->matches;
    pthread_mutex_unlock(&answers_lock);
    return known;
}

static void remember(const unsigned char mark[MARK_SIZE], bool matches) {
    pthread_mutex_lock(&answers_lock);
    struct answer *answer = place_of(mark);
    memcpy(answer->mark, mark, MARK_SIZE);
    answer->matches = matches;
    pthread_mutex_unlock(&answers_lock);
}

// The place of a question that is being looked into, or a free one; NULL when there is none.
static struct question *find_question(const unsigned char mark[MARK_SIZE]) {
    struct question *unused = NULL;
    for (size_t i = 0; i < QUESTIONS; i++) {
        struct question *q = &questions[i];
        if (q->askers == 0)
            unused = q;
        else if (memcmp(q->mark, mark, MARK_SIZE) == 0)
            return q;
    }
    return unused;
}

// Notes that a question is being looked into, by one more. NULL when there are too many others.
static struct question *begin(const unsigned char mark[MARK_SIZE]) {
    pthread_mutex_lock(&answers_lock);
    struct question *q = find_question(mark);
    if (q) {
        memcpy(q->mark, mark, MARK_SIZE);
        q->askers++;
    }
    pthread_mutex_unlock(&answers_lock);
    return q;
}

static void end(struct question *q) {
    pthread_mutex_lock(&answers_lock);
    q->askers--;
    pthread_mutex_unlock(&answers_lock);
}

// Whoever waited for the lock may find that another thread had the same question.
static bool find_out(const char *hash, const char *password, size_t size,
                     const unsigned char mark[MARK_SIZE]) {
    bool matches;
    pthread_mutex_lock(&hashing_lock);
    if (!recall(mark, &matches)) {
        matches = crypto_pwhash_str_verify(hash, password, size) == 0;
        remember(mark, matches);
    }
    pthread_mutex_unlock(&hashing_lock);
    return matches;
}

enum status secret_matches(const char *hash, const char *password, size_t size, bool *matches,
                           struct error *err) {
    unsigned char mark[MARK_SIZE];
    *matches = false;
    if (!secret_is_hash(hash)) return STATUS_OK;
    make_mark(hash, password, size, mark);
    if (recall(mark, matches)) return STATUS_OK;
    struct question *q = begin(mark);
    if (!q) return fail(err, STATUS_BUSY, "too many passwords are being checked");
    *matches = find_out(hash, password, size, mark);
    end(q);
    return STATUS_OK;
}

void secret_digest(const void *data, size_t size, char out[SECRET_DIGEST_SIZE]) {
    unsigned char digest[crypto_generichash_BYTES];
    need_start();
    crypto_generichash(digest, sizeof digest, data, size, NULL, 0);
    sodium_bin2hex(out, SECRET_DIGEST_SIZE, digest, sizeof digest);
}

bool secret_equal(const void *a, size_t a_size, const void *b, size_t b_size) {
    return a_size == b_size && sodium_memcmp(a, b, a_size) == 0;
}

void secret_random(void *out, size_t size) {
    need_start();
    randombytes_buf(out, size);
}

static bool write_all(int fd, const char *data, size_t size) {
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno != EINTR) return false;
        if (written < 0) continue;
        data += written;
        size -= (size_t)written;
    }
    return fsync(fd) == 0;
}

enum status secret_save(const char *path, const void *data, size_t size, struct error *err) {
    char fresh[PATH_MAX];
    if ((size_t)snprintf(fresh, sizeof fresh, "%s.new", path) >= sizeof fresh)
        return fail(err, STATUS_FAILED, "the path of %s is too long", path);
    unlink(fresh);
    int fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, S_IRUSR | S_IWUSR);
    bool ok = fd >= 0 && write_all(fd, data, size);
    ok = ok && rename(fresh, path) == 0;
    int problem = errno;
    if (fd >= 0) close(fd);
    if (ok) return STATUS_OK;
    if (fd >= 0) unlink(fresh);
    return fail(err, problem == EACCES ? STATUS_DENIED : STATUS_FAILED, "%s: %s", path,
                strerror(problem));
}

void secret_encode64(const void *data, size_t size, bool for_url, struct bytes *out) {
    int variant =
        for_url ? sodium_base64_VARIANT_URLSAFE_NO_PADDING : sodium_base64_VARIANT_ORIGINAL;
    size_t room = sodium_base64_encoded_len(size, variant);  // with a terminator
    char *at = bytes_reserve(out, room);
    if (!at) return;
    sodium_bin2base64(at, room, data, size, variant);
    out->size += room - 1;
}

bool secret_decode64(const char *text, size_t size, struct bytes *out) {
    while (size > 0 && text[size - 1] == '=')
        size--;
    char *at = bytes_reserve(out, size);
    size_t decoded;
    if (!at || sodium_base642bin((unsigned char *)at, size, text, size, NULL, &decoded, NULL,
                                 sodium_base64_VARIANT_ORIGINAL_NO_PADDING) != 0)
        return false;
    out->size += decoded;
    return true;
}
