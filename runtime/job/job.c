/* job/job.c - see job.h. */
#include "job/job.h"

#include "job/close.h"

// --- closing --------------------------------------------------------------------------------

#define CELL_BYTES 320  // what the gather, the tree and the watch keep of a series, about

// Counted from what there is, not from what is allocated: a job that was loaded has the same.
static size_t used_bytes(const struct job *job) {
    size_t bytes = decomposition_bytes(job->events) + rulebook_size(job->rules);
    for (size_t d = 0; d < job->analysis->detector_count; d++)
        bytes += job->watches[d].bytes + rarity_size(&job->watches[d].rarity) +
                 gather_cells(job->gather, d) * CELL_BYTES;
    return bytes;
}

struct pruning {
    struct job *job;
    size_t detector;
};

static void forget_model(void *context, uint32_t model) {
    struct pruning *p = context;
    job_forget_spilled(p->job, p->detector, model);
    watch_forget(&p->job->watches[p->detector], model);
}

static void forget_person(void *context, uint32_t cell) {
    struct pruning *p = context;
    rarity_forget(&p->job->watches[p->detector].rarity, cell);
}

// Without an over field a cell is a model; with one the model goes with its last cell.
static void prune(struct job *job, int64_t before_s) {
    for (size_t d = 0; d < job->analysis->detector_count; d++) {
        struct pruning p = {job, d};
        bool population = job->analysis->detectors[d].over != NULL;
        gather_prune(job->gather, d, before_s, population ? forget_person : forget_model,
                     forget_model, &p);
    }
}

static void write_size_stats(struct job *job) {
    struct output o = {.analysis = job->analysis, .lines = &job->results};
    struct result_size_stats stats = job_size_stats(job);
    output_size_stats(&o, &stats);
}

static enum status close_bucket(void *context, struct gather_bucket *bucket,
                                struct error *err) {
    struct job *job = context;
    if (gather_bucket_partial(bucket)) return STATUS_OK;
    enum status status = job_close(job, bucket, false, err);
    if (status != STATUS_OK) return status;
    uint64_t used = used_bytes(job);
    status = job_spill(job, &used, err);
    if (status != STATUS_OK) return status;
    bool report = limit_close(&job->limit, job->bucket_s, used);
    int64_t before_s = limit_prune_before(&job->limit, job->bucket_s);
    if (before_s != INT64_MIN) prune(job, before_s);
    if (report) write_size_stats(job);
    return STATUS_OK;
}

static bool admit(void *context, size_t detector) {
    struct job *job = context;
    return limit_admit(&job->limit, watch_series_bytes(&job->watches[detector]) + CELL_BYTES);
}

// --- making ---------------------------------------------------------------------------------

static enum status fill(struct job *job, struct error *err) {
    const struct analysis *a = job->analysis;
    job->watches = calloc(a->detector_count, sizeof *job->watches);
    job->rules = rulebook_new(a);
    job->events = decomposition_new(a->bucket_span_s);
    if (!job->watches || !job->rules || !job->events)
        return fail(err, STATUS_NO_MEMORY, "no memory for a job");
    for (size_t d = 0; d < a->detector_count; d++)
        watch_init(&job->watches[d], &a->detectors[d], a->bucket_span_s);
    limit_init(&job->limit, job->options.memory_limit_bytes, a->bucket_span_s,
               job->options.prune_window_s);
    enum status status = gather_new(a, &job->gather, err);
    if (status == STATUS_OK) status = tree_new(a, &job->tree, err);
    if (status == STATUS_OK) gather_set_limit(job->gather, job->options.memory_limit_bytes);
    if (status == STATUS_OK)
        gather_listen(job->gather, &(struct gather_listener){job, close_bucket, admit});
    return status;
}

static enum status check(const struct analysis *a, struct error *err) {
    if (a->bucket_span_s <= 0) return fail(err, STATUS_INVALID, "bucket_span must be positive");
    if (a->latency_s < 0) return fail(err, STATUS_INVALID, "latency must not be negative");
    if (a->detector_count == 0) return fail(err, STATUS_INVALID, "No detectors configured");
    return STATUS_OK;
}

enum status job_new(struct analysis *a, const struct job_options *options, struct job **out,
                    struct error *err) {
    struct job *job = calloc(1, sizeof *job);
    if (!job) {
        analysis_free(a);
        return fail(err, STATUS_NO_MEMORY, "no memory for a job");
    }
    job->analysis = a;
    job->options = *options;
    job->plot.annotations = true;
    enum status status = check(a, err);
    if (status == STATUS_OK) status = fill(job, err);
    if (status != STATUS_OK) {
        job_free(job);
        return status;
    }
    *out = job;
    return STATUS_OK;
}

static void free_bucket(struct job *job) {
    for (size_t i = 0; i < job->groups.count; i++)
        free(job->groups.at[i].news);
    free(job->items.at);
    free(job->groups.at);
    free(job->samples.at);
    free(job->points.at);
    free(job->events_at.at);
    free(job->order.at);
    free(job->leaves.at);
    free(job->influences.at);
    free(job->named.at);
    free(job->seen.at);
    free(job->shifts.at);
    free(job->released.at);
}

void job_free(struct job *job) {
    if (!job) return;
    free_bucket(job);
    for (size_t d = 0; job->watches && d < job->analysis->detector_count; d++)
        watch_clear(&job->watches[d]);
    free(job->watches);
    bytes_free(&job->results);
    bytes_free(&job->annotations);
    bytes_free(&job->interim_ids);
    plot_clear(&job->plot);
    decomposition_free(job->events);
    rulebook_free(job->rules);
    tree_free(job->tree);
    gather_free(job->gather);
    analysis_free(job->analysis);
    free(job);
}

// --- records and the clock ------------------------------------------------------------------

enum status job_post(struct job *job, const char *body, size_t size, struct data_counts *added,
                     struct error *err) {
    return gather_post(job->gather, body, size, added, err);
}

enum status job_feed(struct job *job, const struct frame *rows, struct data_counts *added,
                     struct error *err) {
    return gather_feed(job->gather, rows, added, err);
}

void job_reset_buckets(struct job *job, int64_t start_s, int64_t end_s) {
    gather_reset(job->gather, start_s, end_s);
}

static bool wanted(const struct job *job, const struct job_flush *f, int64_t bucket_s) {
    int64_t end_s = bucket_s + job->analysis->bucket_span_s;
    return (f->start_s == JOB_NO_TIME || end_s > f->start_s) &&
           (f->end_s == JOB_NO_TIME || bucket_s < f->end_s);
}

static enum status interim(struct job *job, const struct job_flush *f, struct error *err) {
    enum status status = STATUS_OK;
    struct gather_bucket *bucket;
    job_forget_interim(job);
    gather_current(job->gather);  // a bucket that nothing has reached has interim results too
    for (size_t i = 0; status == STATUS_OK && (bucket = gather_open(job->gather, i)); i++)
        if (!gather_bucket_partial(bucket) && wanted(job, f, gather_bucket_start_s(bucket)))
            status = job_close(job, bucket, true, err);
    return status;
}

enum status job_flush(struct job *job, const struct job_flush *f, struct error *err) {
    if (f->skip_s != JOB_NO_TIME) gather_skip(job->gather, f->skip_s);
    enum status status = STATUS_OK;
    if (f->advance_s != JOB_NO_TIME) status = gather_advance(job->gather, f->advance_s, err);
    if (status == STATUS_OK && f->interim) status = interim(job, f, err);
    return status;
}

int64_t job_finalized_s(const struct job *job) {
    int64_t position_s;
    return gather_position_s(job->gather, &position_s) ? position_s : JOB_NO_TIME;
}

// --- what came out --------------------------------------------------------------------------

struct bytes *job_results(struct job *job) {
    return &job->results;
}

struct bytes *job_annotations(struct job *job) {
    return &job->annotations;
}

bool job_take_scores_changed(struct job *job) {
    bool changed = job->scores_changed;
    job->scores_changed = false;
    return changed;
}

const struct tree *job_tree(const struct job *job) { return job->tree; }

const struct analysis *job_analysis(const struct job *job) { return job->analysis; }

const struct data_counts *job_counts(const struct job *job) {
    return gather_counts(job->gather);
}

// --- memory ---------------------------------------------------------------------------------

// Different values among the live cells of a detector of one of their fields.
static uint64_t count_values(const struct job *job, size_t detector,
                             uint32_t (*value)(const struct gather_cell *cell)) {
    uint64_t count = 0;
    uint8_t *seen = NULL;
    size_t size = 0;
    size_t cells = gather_cells(job->gather, detector);
    for (size_t i = 0; i < cells; i++) {
        const struct gather_cell *cell = gather_cell(job->gather, detector, (uint32_t)i);
        uint32_t id = cell->live ? value(cell) : GATHER_NONE;
        if (id == GATHER_NONE) continue;
        if (id >= size) {
            size_t grown = 2 * ((size_t)id + 1);
            uint8_t *more = realloc(seen, grown);
            if (!more) break;
            memset(more + size, 0, grown - size);
            seen = more;
            size = grown;
        }
        count += !seen[id];
        seen[id] = 1;
    }
    free(seen);
    return count;
}

static uint32_t partition_of(const struct gather_cell *cell) { return cell->partition; }

static uint32_t by_of(const struct gather_cell *cell) { return cell->by; }

static uint32_t over_of(const struct gather_cell *cell) { return cell->over; }

struct result_size_stats job_size_stats(const struct job *job) {
    const struct limit *l = &job->limit;
    uint64_t used = used_bytes(job);
    struct result_size_stats stats = {
        .time_s = l->last_s == INT64_MIN ? 0 : l->last_s,
        .now_ms = time_now_ms(),
        .model_bytes = used,
        .peak_bytes = used > l->peak_bytes ? used : l->peak_bytes,
        .exceeded_bytes = l->limit_bytes && used > l->limit_bytes ? used - l->limit_bytes : 0,
        .limit_bytes = l->limit_bytes,
        .failures = l->failures,
        .status = memory_status_name(l->status),
    };
    for (size_t d = 0; d < job->analysis->detector_count; d++) {
        stats.spilled += job->watches[d].spill.count;
        stats.by_fields += count_values(job, d, by_of);
        stats.over_fields += count_values(job, d, over_of);
        stats.partition_fields += count_values(job, d, partition_of);
    }
    return stats;
}

// --- changes --------------------------------------------------------------------------------

void job_set_rules(struct job *job, struct rulebook *from, unsigned parts) {
    rulebook_move(job->rules, from, parts);
}

enum status job_set_plot(struct job *job, bool enabled, const char *terms, bool annotations,
                         struct error *err) {
    enum status status = plot_set_terms(&job->plot, terms, err);
    if (status != STATUS_OK) return status;
    job->plot.enabled = enabled;
    job->plot.annotations = annotations;
    return STATUS_OK;
}
