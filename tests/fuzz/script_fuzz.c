/* script_fuzz.c - detector scripts of any bytes: run in a sandbox with the words of the
 * detector language. Whatever comes in, the answer is data or an error, within the limits. */
#include "bind/parcel.h"
#include "bind/sandbox.h"
#include <stdio.h>
#include <stdlib.h>

static char texts[2][1 << 17];
static struct sandbox_text prelude[2] = {{.name = "dsl_check.lua", .text = texts[0]},
                                         {.name = "dsl.lua", .text = texts[1]}};

static void read_prelude(void) {
    for (int i = 0; i < 2; i++) {
        char path[4096];
        snprintf(path, sizeof path, BLIP_LUA "/blip/detector/%s", prelude[i].name);
        FILE *file = fopen(path, "rb");
        if (!file) abort();
        prelude[i].size = fread(texts[i], 1, sizeof texts[i], file);
        fclose(file);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size) {
    if (!prelude[0].size) read_prelude();
    const struct sandbox_limits limits = {
        .memory_bytes = 4 << 20, .steps = 100000, .cpu_ms = 200};
    struct sandbox *s = NULL;
    struct parcel results = {0};
    struct error err;
    if (sandbox_new(&limits, prelude, 2, &s, &err) != STATUS_OK) abort();
    enum status status = sandbox_run(s, (const char *)bytes, size, "fuzz.lua", &results, &err);
    if (status != STATUS_OK && status != STATUS_INVALID && status != STATUS_TOO_LARGE) abort();
    parcel_free(&results);
    sandbox_free(s);
    return 0;
}
