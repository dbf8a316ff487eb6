/* tests/fuzz/snapshot_fuzz.c - loads bytes as a saved job. The first byte chooses the job's
 * detectors; the frame around what was saved (magic, hash of the configuration, checksum) is
 * made right, so that what stands within it is tried. A job that loads must take records, close
 * buckets, save and load again. */
#include "job/job.h"
#include "model/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HEAD 16             // magic and hash
#define TAIL 8              // checksum
#define LARGEST (1u << 20)  // of a saved job that is tried

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool right) {
    if (!right) abort();
}

static void add(struct analysis *a, const char *function, const char *field, const char *by,
                const char *over) {
    struct detector *d;
    must(analysis_add_detector(a, function, &d, NULL) == STATUS_OK);
    must(analysis_set_text(&d->field, field, NULL) == STATUS_OK);
    must(analysis_set_text(&d->by, by, NULL) == STATUS_OK);
    must(analysis_set_text(&d->over, over, NULL) == STATUS_OK);
    must(analysis_set_text(&d->partition, "p", NULL) == STATUS_OK);
}

static struct analysis *analysis_of(uint8_t choice) {
    struct analysis *a = analysis_new("fuzz");
    must(a && analysis_set_text(&a->time_format, "epoch", NULL) == STATUS_OK);
    must(analysis_add_influencer(a, "i", NULL) == STATUS_OK);
    switch (choice % 4) {
    case 0:
        add(a, "metric", "v", NULL, NULL);
        break;
    case 1:
        add(a, "count", NULL, "b", NULL);
        add(a, "rare", NULL, "b", NULL);
        break;
    case 2:
        add(a, "mean", "v", "b", "o");
        add(a, "freq_rare", NULL, "b", "o");
        break;
    case 3:
        add(a, "time_of_day", NULL, NULL, NULL);
        add(a, "lat_long", "g", NULL, NULL);
        break;
    }
    return a;
}

static struct bytes save(const struct job *job) {
    struct pack p = {0};
    job_save(job, &p);
    struct bytes out = {.data = malloc(p.size), .size = p.size, .capacity = p.size};
    must(out.data != NULL);
    p = (struct pack){.bytes = (uint8_t *)out.data, .capacity = out.size};
    job_save(job, &p);
    must(p.size == out.size);
    return out;
}

static struct job *new_job(uint8_t choice) {
    struct job *job;
    struct job_options options = {.memory_limit_bytes = 16 << 20, .record_limit = 20};
    must(job_new(analysis_of(choice), &options, &job, NULL) == STATUS_OK);
    return job;
}

// The input within the frame that its job would have written.
static struct bytes frame(const uint8_t *data, size_t size) {
    struct job *empty = new_job(data[0]);
    struct bytes saved = save(empty), out = {0};
    job_free(empty);
    bytes_append(&out, saved.data, HEAD);
    bytes_append(&out, data + 1, size - 1);
    uint64_t checksum = pack_checksum((const uint8_t *)out.data, out.size);
    for (int i = 0; i < TAIL; i++)
        bytes_append_char(&out, (char)(checksum >> (8 * i)));
    bytes_free(&saved);
    must(bytes_ok(&out));
    return out;
}

// A few buckets after where the job stands.
static void go_on(struct job *job) {
    int64_t at = job_finalized_s(job);
    if (at == JOB_NO_TIME || at > 1LL << 40 || at < -(1LL << 40)) at = 1500000000;
    struct data_counts counts;
    for (int i = 0; i < 8; i++) {
        char line[160];
        int size = snprintf(line, sizeof line,
                            "{\"time\":%lld,\"v\":%d,\"b\":\"b%d\",\"o\":\"o%d\",\"p\":\"p\","
                            "\"i\":\"i%d\",\"g\":\"1,%d\"}",
                            (long long)at + i * 200, i, i % 3, i % 2, i % 2, i);
        if (job_post(job, line, (size_t)size, &counts, NULL) != STATUS_OK) return;
    }
    struct job_flush flush = {.interim = true,
                              .start_s = JOB_NO_TIME,
                              .end_s = JOB_NO_TIME,
                              .advance_s = at + 3600,
                              .skip_s = JOB_NO_TIME};
    if (job_flush(job, &flush, NULL) != STATUS_OK) return;
    must(bytes_ok(job_results(job)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    if (size < 2 || size > LARGEST) return 0;
    struct bytes bytes = frame(data, size);
    struct job *job, *again;
    struct job_options options = {.memory_limit_bytes = 16 << 20, .record_limit = 20};
    enum status status =
        job_load(analysis_of(data[0]), &options, (uint8_t *)bytes.data, bytes.size, &job, NULL);
    bytes_free(&bytes);
    if (status != STATUS_OK) return 0;
    go_on(job);
    bytes = save(job);
    must(job_load(analysis_of(data[0]), &options, (uint8_t *)bytes.data, bytes.size, &again,
                  NULL) == STATUS_OK);
    job_free(again);
    bytes_free(&bytes);
    job_free(job);
    return 0;
}
