/* script_fuzz.c - detector scripts of any bytes: run in a sandbox with the words of the detector
 * language. Whatever comes in, the answer is data or an error, within the limits. */
#include "bind/parcel.h"
#include "bind/sandbox.h"
#include <stdio.h>
#include <stdlib.h>

static char words[1 << 20];  // lua/blip/detector/dsl.lua
static size_t words_size;

static void read_words(void) {
    FILE *file = fopen(BLIP_LUA "/blip/detector/dsl.lua", "rb");
    if (!file) abort();
    words_size = fread(words, 1, sizeof words, file);
    fclose(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!words_size) read_words();
    const struct sandbox_limits limits = {
        .memory_bytes = 4 << 20, .steps = 100000, .cpu_ms = 200};
    struct sandbox *s = NULL;
    struct parcel results = {0};
    struct error err;
    if (sandbox_new(&limits, words, words_size, &s, &err) != STATUS_OK) abort();
    enum status status = sandbox_run(s, (const char *)bytes, size, "fuzz.lua", &results, &err);
    if (status != STATUS_OK && status != STATUS_INVALID && status != STATUS_TOO_LARGE) abort();
    parcel_free(&results);
    sandbox_free(s);
    return 0;
}
