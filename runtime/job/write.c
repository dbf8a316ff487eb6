/* job/write.c - from the results of the tree to documents. */
#include "job/close.h"
#include "job/output.h"
#include "model/chance.h"

#include <math.h>

#define CAUSES_MOST 10  // of a population's record
#define EVENTS_MOST 64  // descriptions of scheduled events of one bucket

static enum status no_memory(struct error *err) {
    return fail(err, STATUS_NO_MEMORY, "no memory for result documents");
}

struct job_values job_typical(const struct job *job, const struct job_item *item) {
    const struct feature *f = job_feature(job, item);
    if (f->statistic == STATISTIC_INDICATOR || kind_has(f)) return job_usual(job, item);
    const struct series *series = job_series(job, item);
    return (struct job_values){{series_typical(series, item->time_s) + f->offset, 0}};
}

// --- influences -----------------------------------------------------------------------------

/* Influences of a record as documents want them; freed after each record. */
struct influences {
    struct result_influence *fields;
    struct text *values;
    size_t count;
};

static void influences_clear(struct influences *in) {
    free(in->fields);
    free(in->values);
    *in = (struct influences){0};
}

// A leaf's influences are sorted by field: one result_influence per run.
static bool list_influences(const struct job *job, const struct job_leaf *leaf,
                            struct influences *out) {
    *out = (struct influences){0};
    if (leaf->influences == 0) return true;
    out->fields = calloc(leaf->influences, sizeof *out->fields);
    out->values = calloc(leaf->influences, sizeof *out->values);
    if (!out->fields || !out->values) return false;
    const struct job_influence *list = job->influences.at + leaf->first_influence;
    for (size_t i = 0; i < leaf->influences; i++) {
        out->values[i] = job_text(job, list[i].value);
        if (i == 0 || list[i].field != list[i - 1].field)
            out->fields[out->count++] = (struct result_influence){
                job->analysis->influencers[list[i].field], &out->values[i], 0};
        out->fields[out->count - 1].count++;
    }
    return true;
}

// --- records --------------------------------------------------------------------------------

static struct result_values values_of(const struct job *job, const struct job_item *item) {
    const struct feature *f = job_feature(job, item);
    struct result_values v = {.width = f->statistic == STATISTIC_LOCATION ? 2 : 1};
    struct job_values typical = job_typical(job, item);
    for (size_t i = 0; i < v.width; i++) {
        v.actual[i] = item->value[i];
        v.typical[i] = typical.at[i];
    }
    if (job->interim && job_series(job, item)) v.actual[0] = item->verdict.value + f->offset;
    return v;
}

static struct series_question question(const struct job *job, const struct job_item *item) {
    return (struct series_question){
        .start_s = job->bucket_s,
        .time_s = item->time_s,
        .value = item->verdict.value,
        .count_scale = item->count_scale,
        .completeness = 1,
        .weight = 1,
        .interim = job->interim,
    };
}

static int spike_or_dip(enum tail type) {
    return type == TAIL_ABOVE ? 1 : type == TAIL_BELOW ? -1 : 0;
}

// Of a time, a place, a rare value: how improbable it is, and whether it came for the first
// time.
static struct result_explanation explain_kind(const struct job *job,
                                              const struct job_item *item) {
    const struct gather_cell *cell = gather_cell(job->gather, item->detector, item->cell);
    bool rare = job_feature(job, item)->statistic == STATISTIC_INDICATOR;
    bool unlikely = item->p < CHANCE_SIGNIFICANT, first = cell->first_s == job->bucket_s;
    return (struct result_explanation){
        .present = true,
        .single_bucket_impact = unlikely ? (int)lround(-log10(item->p)) : 0,
        .lower = NAN,
        .typical = NAN,
        .upper = NAN,
        .by_first_occurrence = rare && first,
        .by_relative_rarity = rare && !first ? job_rarity(job, item) : 0,
    };
}

static struct result_explanation explain(const struct job *job, const struct job_item *item) {
    const struct series *series = job_series(job, item);
    if (!series) return explain_kind(job, item);
    struct series_question q = question(job, item);
    struct series_explanation e;
    series_explain(series, &q, &item->verdict, &e);
    double offset = job_feature(job, item)->offset;
    return (struct result_explanation){
        .present = true,
        .type = spike_or_dip(e.type),
        .length = e.length,
        .single_bucket_impact = e.single_bucket_impact,
        .multi_bucket_impact = e.multi_bucket_impact,
        .characteristics_impact = e.anomaly_characteristics_impact,
        .lower = e.lower + offset,
        .typical = e.typical_value + offset,
        .upper = e.upper + offset,
        .high_variance = e.high_variance_penalty,
        .incomplete_bucket = e.incomplete_bucket_penalty,
        .multimodal = e.multimodal_distribution,
    };
}

static const struct gather_cell *cell_of(const struct job *job, const struct job_item *item) {
    return gather_cell(job->gather, item->detector, item->cell);
}

static struct result_cause cause_of(const struct job *job, const struct job_item *item,
                                    const struct influences *in) {
    return (struct result_cause){
        .probability = item->p,
        .by = job_text(job, cell_of(job, item)->by),
        .function_description = job_feature(job, item)->description,
        .values = values_of(job, item),
        .influences = in->fields,
        .influence_count = in->count,
    };
}

// The attributes that made a person stand out, the least probable first.
static size_t list_causes(const struct job *job, const struct job_leaf *leaf,
                          const struct influences *in, struct result_cause *causes) {
    const struct job_item *worst = &job->items.at[leaf->worst];
    double limit = fmax(1.1 * worst->p, CHANCE_SIGNIFICANT);
    size_t count = 0;
    for (size_t i = 0; i < leaf->items; i++) {
        const struct job_item *item = &job->items.at[job->order.at[leaf->first + i]];
        if (item->p > limit || item->feature != worst->feature) continue;
        size_t place = count < CAUSES_MOST ? count : CAUSES_MOST;
        while (place > 0 && causes[place - 1].probability > item->p)
            place--;
        if (place == CAUSES_MOST) continue;
        if (count < CAUSES_MOST) count++;
        memmove(&causes[place + 1], &causes[place], (count - place - 1) * sizeof *causes);
        causes[place] = cause_of(job, item, in);
    }
    return count;
}

static enum status write_record(const struct job *job, struct output *o, size_t at,
                                struct error *err) {
    const struct job_leaf *leaf = &job->leaves.at[at];
    const struct job_item *worst = &job->items.at[leaf->worst];
    struct tree_result result = tree_leaf_result(job->tree, at);
    struct influences in;
    struct result_cause causes[CAUSES_MOST];
    if (!list_influences(job, leaf, &in)) {
        influences_clear(&in);
        return no_memory(err);
    }
    bool population = leaf->over != GATHER_NONE;
    struct result_record r = {
        .time_s = job->bucket_s,
        .detector_index = leaf->detector,
        .partition = job_text(job, leaf->partition),
        .by = population ? (struct text){0} : job_text(job, leaf->by),
        .over = job_text(job, leaf->over),
        .function_description = job_feature(job, worst)->description,
        .score = result.score,
        .probability = result.p,
        .multi_bucket_impact = worst->verdict.multi_bucket_impact,
        .values = values_of(job, worst),
        .causes = causes,
        .influences = in.fields,
        .influence_count = in.count,
    };
    if (population)
        r.cause_count = list_causes(job, leaf, &in, causes);
    else
        r.explanation = explain(job, worst);
    output_record(o, &r);
    influences_clear(&in);
    return STATUS_OK;
}

static enum status write_records(const struct job *job, struct output *o, struct error *err) {
    size_t count;
    const size_t *leaves = tree_records(job->tree, &count);
    enum status status = STATUS_OK;
    for (size_t i = 0; i < count && status == STATUS_OK; i++)
        status = write_record(job, o, leaves[i], err);
    return status;
}

// --- influencers and the bucket -------------------------------------------------------------

static void write_influencers(const struct job *job, struct output *o) {
    size_t count;
    const struct tree_node *nodes = tree_pivots(job->tree, &count);
    for (size_t i = 0; i < count; i++) {
        if (!nodes[i].result.written) continue;
        const struct job_leaf *leaf = &job->leaves.at[nodes[i].leaf];
        const struct job_influence *in =
            &job->influences.at[leaf->first_influence + nodes[i].influence];
        output_influencer(o, &(struct result_influencer){
                                 .time_s = job->bucket_s,
                                 .field = job->analysis->influencers[nodes[i].field],
                                 .value = job_text(job, in->value),
                                 .score = nodes[i].result.score,
                                 .probability = nodes[i].result.p,
                             });
    }
}

// bucket_time and the influencer fields that are anomalous as a whole.
static size_t list_bucket_influencers(const struct job *job,
                                      struct result_bucket_influencer *out) {
    size_t count = 0, fields;
    const struct tree_node *nodes = tree_pivot_roots(job->tree, &fields);
    for (size_t i = 0; i < fields; i++) {
        if (!nodes[i].result.written) continue;
        out[count++] = (struct result_bucket_influencer){
            job->analysis->influencers[nodes[i].field], nodes[i].result.score,
            nodes[i].result.raw, nodes[i].result.p};
    }
    struct tree_result root = tree_root(job->tree);
    if (gather_bucket_events(job->bucket) > 0 || root.raw > 0)
        out[count++] =
            (struct result_bucket_influencer){"bucket_time", root.score, root.raw, root.p};
    return count;
}

static size_t list_partitions(const struct job *job, struct result_partition *out) {
    size_t count = 0, nodes;
    const struct tree_node *list = tree_partitions(job->tree, &nodes);
    for (size_t i = 0; i < nodes; i++) {
        if (!list[i].result.written) continue;
        const struct job_leaf *leaf = &job->leaves.at[list[i].leaf];
        out[count++] = (struct result_partition){
            .field = job->analysis->detectors[leaf->detector].partition,
            .value = job_text(job, leaf->partition),
            .score = list[i].result.score,
            .probability = list[i].result.p,
        };
    }
    return count;
}

static void put_bucket(struct job *job, struct output *o,
                       struct result_bucket_influencer *influencers,
                       struct result_partition *partitions) {
    const char *events[EVENTS_MOST];
    struct result_bucket b = {
        .time_s = job->bucket_s,
        .score = tree_score(job->tree),
        .event_count = (uint64_t)llround(gather_bucket_events(job->bucket)),
        .processing_ms = (time_monotonic_ns() - job->started_ns) / 1000000,
        .influencers = influencers,
        .influencer_count = list_bucket_influencers(job, influencers),
        .partitions = partitions,
        .partition_count = list_partitions(job, partitions),
        .events = events,
        .event_descriptions = rulebook_events(job->rules, job->bucket_s, events, EVENTS_MOST),
    };
    output_bucket(o, &b);
}

static enum status write_bucket(struct job *job, struct output *o, struct error *err) {
    size_t most = job->analysis->influencer_count + 1, partition_count;
    tree_partitions(job->tree, &partition_count);
    struct result_bucket_influencer *influencers = calloc(most, sizeof *influencers);
    struct result_partition *partitions = calloc(partition_count + 1, sizeof *partitions);
    bool room = influencers && partitions;
    if (room) put_bucket(job, o, influencers, partitions);
    free(influencers);
    free(partitions);
    return room ? STATUS_OK : no_memory(err);
}

// --- annotations ----------------------------------------------------------------------------

static void write_news(const struct job *job, struct output *o, const struct job_group *g) {
    const struct job_item *item = &job->items.at[g->first_item];
    const struct gather_cell *cell = cell_of(job, item);
    for (const char *text = g->news; *text; text += strlen(text) + 1)
        output_annotation(o, &(struct result_annotation){
                                 .time_s = job->bucket_s,
                                 .detector_index = g->detector,
                                 .partition = job_text(job, cell->partition),
                                 .by = job_text(job, cell->by),
                                 .text = text,
                                 .now_ms = time_now_ms(),
                             });
}

static void write_annotations(struct job *job) {
    struct output o = {.analysis = job->analysis, .lines = &job->annotations};
    for (size_t i = 0; i < job->groups.count; i++) {
        struct job_group *g = &job->groups.at[i];
        if (!g->news) continue;
        if (job->plot.annotations) write_news(job, &o, g);
        free(g->news);
        g->news = NULL;
    }
}

// --- all ------------------------------------------------------------------------------------

enum status job_write(struct job *job, struct error *err) {
    struct output o = {
        .analysis = job->analysis,
        .lines = &job->results,
        .interim = job->interim,
        .ids = job->interim ? &job->interim_ids : NULL,
    };
    enum status status = write_records(job, &o, err);
    if (status != STATUS_OK) return status;
    write_influencers(job, &o);
    if (!job->interim) job_plot(job, &o);
    status = write_bucket(job, &o, err);
    write_annotations(job);
    if (status == STATUS_OK && !(bytes_ok(&job->results) && bytes_ok(&job->annotations)))
        return no_memory(err);
    return status;
}
