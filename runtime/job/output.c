/* job/output.c - see output.h. */
#include "job/output.h"

#include "frame/key.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MS 1000

// --- writing members ------------------------------------------------------------------------

// Each member brings the comma that parts it from the one before; a document opens with job_id.
static void name(struct output *o, const char *member) {
    bytes_append_text(o->lines, ",\"");
    bytes_append_text(o->lines, member);
    bytes_append_text(o->lines, "\":");
}

static void quoted(struct output *o, struct text value) {
    bytes_append_quoted(o->lines, value.data ? value.data : "", value.size);
}

static void text(struct output *o, const char *member, struct text value) {
    name(o, member);
    quoted(o, value);
}

static void text_if(struct output *o, const char *member, const char *value) {
    if (value) text(o, member, text_of(value));
}

static void number(struct output *o, const char *member, double value) {
    if (!isfinite(value)) return;
    name(o, member);
    bytes_append_double(o->lines, value);
}

static void integer(struct output *o, const char *member, int64_t value) {
    name(o, member);
    bytes_append_int(o->lines, value);
}

static void integer_if(struct output *o, const char *member, int64_t value) {
    if (value != 0) integer(o, member, value);
}

static void boolean(struct output *o, const char *member, bool value) {
    name(o, member);
    bytes_append_text(o->lines, value ? "true" : "false");
}

static void true_if(struct output *o, const char *member, bool value) {
    if (value) boolean(o, member, true);
}

static void numbers(struct output *o, const char *member, const double *values, size_t count) {
    name(o, member);
    for (size_t i = 0; i < count; i++) {
        bytes_append_char(o->lines, i == 0 ? '[' : ',');
        bytes_append_double(o->lines, values[i]);
    }
    bytes_append_char(o->lines, ']');
}

// The name and value of a by, over or partition field: the value even when it is empty.
static void field_pair(struct output *o, const char *kind, const char *field,
                       struct text value) {
    if (!field) return;
    char member[40];
    snprintf(member, sizeof member, "%s_field_name", kind);
    text(o, member, text_of(field));
    if (!value.data) return;
    snprintf(member, sizeof member, "%s_field_value", kind);
    text(o, member, value);
}

// --- the lines of a bulk request ------------------------------------------------------------

static void keep_id(struct output *o, const char *id, size_t size) {
    if (!o->ids) return;
    bytes_append(o->ids, id, size);
    bytes_append_char(o->ids, '\0');
}

static void action(struct output *o, const char *verb, const char *id, size_t size) {
    bytes_append_format(o->lines, "{\"%s\":{\"_id\":", verb);
    bytes_append_quoted(o->lines, id, size);
    bytes_append_text(o->lines, "}}\n");
}

static void open_object(struct output *o) {
    bytes_append_text(o->lines, "{\"job_id\":");
    quoted(o, text_of(o->analysis->job_id));
}

static void begin(struct output *o, struct bytes *id) {
    if (!bytes_ok(id)) o->lines->failed = true;
    action(o, "index", id->data, id->size);
    keep_id(o, id->data, id->size);
    bytes_free(id);
    open_object(o);
}

static void end(struct output *o) { bytes_append_text(o->lines, "}\n"); }

static struct bytes start_id(const struct output *o, const char *kind, int64_t time_s) {
    struct bytes id = {0};
    bytes_append_format(&id, "%s_%s_%" PRId64 "_%" PRId64, o->analysis->job_id, kind,
                        time_s * MS, o->analysis->bucket_span_s);
    return id;
}

// Values become a hash and their length in ids: they may be long, and hold anything.
static void id_values(struct bytes *id, const struct text *values, size_t count) {
    struct bytes joined = {0};
    size_t length = 0;
    for (size_t i = 0; i < count; i++) {
        if (i > 0) bytes_append_char(&joined, KEY_SEPARATOR);
        if (values[i].data) bytes_append(&joined, values[i].data, values[i].size);
        length += values[i].size;
    }
    uint64_t hash[2];
    key_hash(joined.data ? joined.data : "", joined.size, 0, hash);
    if (!bytes_ok(&joined)) id->failed = true;
    bytes_free(&joined);
    bytes_append_format(id, "_%016" PRIx64 "_%zu", hash[0] ^ hash[1], length);
}

void output_delete(struct output *o, const struct bytes *ids) {
    for (size_t at = 0; at < ids->size;) {
        size_t size = strlen(ids->data + at);
        action(o, "delete", ids->data + at, size);
        at += size + 1;
    }
}

// --- buckets and influencers ----------------------------------------------------------------

static void bucket_influencer(struct output *o, const struct result_bucket *b,
                              const struct result_bucket_influencer *i) {
    open_object(o);
    text(o, "result_type", text_of("bucket_influencer"));
    text(o, "influencer_field_name", text_of(i->field));
    number(o, "initial_anomaly_score", i->score);
    number(o, "anomaly_score", i->score);
    number(o, "raw_anomaly_score", i->raw);
    number(o, "probability", i->probability);
    integer(o, "timestamp", b->time_s * MS);
    integer(o, "bucket_span", o->analysis->bucket_span_s);
    boolean(o, "is_interim", o->interim);
    bytes_append_char(o->lines, '}');
}

static void scheduled_events(struct output *o, const struct result_bucket *b) {
    if (b->event_descriptions == 0) return;
    name(o, "scheduled_events");
    for (size_t i = 0; i < b->event_descriptions; i++) {
        bytes_append_char(o->lines, i == 0 ? '[' : ',');
        quoted(o, text_of(b->events[i]));
    }
    bytes_append_char(o->lines, ']');
}

// Clients of the old prefix read them; a bucket without any has no such member.
static void partition_scores(struct output *o, const struct result_bucket *b) {
    if (b->partition_count == 0) return;
    name(o, "partition_scores");
    for (size_t i = 0; i < b->partition_count; i++) {
        const struct result_partition *p = &b->partitions[i];
        bytes_append_text(o->lines, i == 0 ? "[{" : ",{");
        bytes_append_text(o->lines, "\"partition_field_name\":");
        quoted(o, text_of(p->field));
        text(o, "partition_field_value", p->value);
        number(o, "initial_record_score", p->score);
        number(o, "record_score", p->score);
        number(o, "probability", p->probability);
        bytes_append_char(o->lines, '}');
    }
    bytes_append_char(o->lines, ']');
}

void output_bucket(struct output *o, const struct result_bucket *b) {
    struct bytes id = start_id(o, "bucket", b->time_s);
    begin(o, &id);
    integer(o, "timestamp", b->time_s * MS);
    number(o, "anomaly_score", b->score);
    integer(o, "bucket_span", o->analysis->bucket_span_s);
    number(o, "initial_anomaly_score", b->score);
    integer(o, "event_count", (int64_t)b->event_count);
    boolean(o, "is_interim", o->interim);
    name(o, "bucket_influencers");
    bytes_append_char(o->lines, '[');
    for (size_t i = 0; i < b->influencer_count; i++) {
        if (i > 0) bytes_append_char(o->lines, ',');
        bucket_influencer(o, b, &b->influencers[i]);
    }
    bytes_append_char(o->lines, ']');
    integer(o, "processing_time_ms", b->processing_ms);
    partition_scores(o, b);
    scheduled_events(o, b);
    text(o, "result_type", text_of("bucket"));
    end(o);
}

void output_influencer(struct output *o, const struct result_influencer *i) {
    struct bytes id = start_id(o, "influencer", i->time_s);
    bytes_append_char(&id, '_');
    bytes_append_text(&id, i->field);
    id_values(&id, &i->value, 1);
    begin(o, &id);
    text(o, "result_type", text_of("influencer"));
    text(o, "influencer_field_name", text_of(i->field));
    text(o, "influencer_field_value", i->value);
    if (!output_reserved(i->field)) {
        bytes_append_char(o->lines, ',');
        quoted(o, text_of(i->field));
        bytes_append_char(o->lines, ':');
        quoted(o, i->value);
    }
    number(o, "influencer_score", i->score);
    number(o, "initial_influencer_score", i->score);
    number(o, "probability", i->probability);
    integer(o, "bucket_span", o->analysis->bucket_span_s);
    boolean(o, "is_interim", o->interim);
    integer(o, "timestamp", i->time_s * MS);
    end(o);
}

// --- records --------------------------------------------------------------------------------

static void influences(struct output *o, const struct result_influence *list, size_t count) {
    if (count == 0) return;
    name(o, "influencers");
    for (size_t i = 0; i < count; i++) {
        bytes_append_text(o->lines, i == 0 ? "[{" : ",{");
        bytes_append_text(o->lines, "\"influencer_field_name\":");
        quoted(o, text_of(list[i].field));
        bytes_append_text(o->lines, ",\"influencer_field_values\":[");
        for (size_t j = 0; j < list[i].count; j++) {
            if (j > 0) bytes_append_char(o->lines, ',');
            quoted(o, list[i].values[j]);
        }
        bytes_append_text(o->lines, "]}");
    }
    bytes_append_char(o->lines, ']');
}

static void typical_actual(struct output *o, const struct result_values *v) {
    if (v->width == 0) return;
    numbers(o, "typical", v->typical, v->width);
    numbers(o, "actual", v->actual, v->width);
}

static void point(struct output *o, const char *member, const double place[2]) {
    char text_[64];
    int size = snprintf(text_, sizeof text_, "%.12f,%.12f", place[0], place[1]);
    text(o, member, (struct text){text_, (size_t)size});
}

static void geo_results(struct output *o, const struct result_values *v) {
    if (v->width != 2) return;
    name(o, "geo_results");
    bytes_append_text(o->lines, "{\"result_type\":\"geo_results\"");
    point(o, "typical_point", v->typical);
    point(o, "actual_point", v->actual);
    bytes_append_char(o->lines, '}');
}

// Members of an object that may have none: the comma before the first is taken back.
static void explanation(struct output *o, const struct result_explanation *e) {
    if (!e->present) return;
    name(o, "anomaly_score_explanation");
    size_t start = o->lines->size;
    if (e->type != 0) text(o, "anomaly_type", text_of(e->type > 0 ? "spike" : "dip"));
    integer_if(o, "anomaly_length", e->length);
    integer_if(o, "single_bucket_impact", e->single_bucket_impact);
    integer_if(o, "multi_bucket_impact", e->multi_bucket_impact);
    integer_if(o, "anomaly_characteristics_impact", e->characteristics_impact);
    number(o, "lower_confidence_bound", e->lower);
    number(o, "typical_value", e->typical);
    number(o, "upper_confidence_bound", e->upper);
    true_if(o, "high_variance_penalty", e->high_variance);
    true_if(o, "incomplete_bucket_penalty", e->incomplete_bucket);
    true_if(o, "multimodal_distribution", e->multimodal);
    true_if(o, "by_field_first_occurrence", e->by_first_occurrence);
    if (e->by_relative_rarity > 0) number(o, "by_field_relative_rarity", e->by_relative_rarity);
    if (bytes_ok(o->lines) && o->lines->size > start)
        o->lines->data[start] = '{';
    else
        bytes_append_char(o->lines, '{');
    bytes_append_char(o->lines, '}');
}

static void cause(struct output *o, const struct result_record *r,
                  const struct result_cause *c) {
    const struct detector *d = &o->analysis->detectors[r->detector_index];
    bytes_append_text(o->lines, "{\"probability\":");
    bytes_append_double(o->lines, c->probability);
    field_pair(o, "by", d->by, c->by);
    field_pair(o, "partition", d->partition, r->partition);
    text(o, "function", text_of(d->name));
    text_if(o, "function_description", c->function_description);
    typical_actual(o, &c->values);
    geo_results(o, &c->values);
    influences(o, c->influences, c->influence_count);
    text_if(o, "field_name", d->field);
    field_pair(o, "over", d->over, r->over);
    bytes_append_char(o->lines, '}');
}

static void causes(struct output *o, const struct result_record *r) {
    if (r->cause_count == 0) return;
    name(o, "causes");
    for (size_t i = 0; i < r->cause_count; i++) {
        bytes_append_char(o->lines, i == 0 ? '[' : ',');
        cause(o, r, &r->causes[i]);
    }
    bytes_append_char(o->lines, ']');
}

// --- copies of values under their fields' own names -----------------------------------------

// Whether the texts before `at` hold its value too.
static bool repeats(const struct text *values, size_t at) {
    for (size_t i = 0; i < at; i++)
        if (text_equal(values[i], values[at])) return true;
    return false;
}

// One field's values: those of the detector's own field first, then what influences add.
static void copy_field(struct output *o, const char *field, const struct text *own,
                       size_t own_count, const struct result_influence *more) {
    bytes_append_char(o->lines, ',');
    quoted(o, text_of(field));
    bytes_append_text(o->lines, ":[");
    for (size_t i = 0; i < own_count; i++) {
        if (i > 0) bytes_append_char(o->lines, ',');
        quoted(o, own[i]);
    }
    for (size_t i = 0; more && i < more->count; i++) {
        bool known = repeats(more->values, i);
        for (size_t j = 0; j < own_count; j++)
            known = known || text_equal(own[j], more->values[i]);
        if (known) continue;
        if (own_count > 0 || i > 0) bytes_append_char(o->lines, ',');
        quoted(o, more->values[i]);
    }
    bytes_append_char(o->lines, ']');
}

static const struct result_influence *find_influence(const struct result_record *r,
                                                     const char *field) {
    for (size_t i = 0; i < r->influence_count; i++)
        if (strcmp(r->influences[i].field, field) == 0) return &r->influences[i];
    return NULL;
}

#define MAX_BY_COPIES 10  // the most causes a record has

static void copy_by(struct output *o, const struct result_record *r, const char *field) {
    struct text values[MAX_BY_COPIES];
    size_t count = 0;
    if (r->by.data) values[count++] = r->by;
    for (size_t i = 0; i < r->cause_count && count < MAX_BY_COPIES; i++) {
        values[count] = r->causes[i].by;
        if (values[count].data && !repeats(values, count)) count++;
    }
    if (count > 0) copy_field(o, field, values, count, find_influence(r, field));
}

static void copies(struct output *o, const struct result_record *r) {
    const struct detector *d = &o->analysis->detectors[r->detector_index];
    if (d->by && !output_reserved(d->by)) copy_by(o, r, d->by);
    if (d->over && r->over.data && !output_reserved(d->over))
        copy_field(o, d->over, &r->over, 1, find_influence(r, d->over));
    if (d->partition && r->partition.data && !output_reserved(d->partition))
        copy_field(o, d->partition, &r->partition, 1, find_influence(r, d->partition));
    for (size_t i = 0; i < r->influence_count; i++) {
        const char *field = r->influences[i].field;
        if (output_reserved(field) || r->influences[i].count == 0) continue;
        if ((d->by && strcmp(field, d->by) == 0) || (d->over && strcmp(field, d->over) == 0) ||
            (d->partition && strcmp(field, d->partition) == 0))
            continue;
        copy_field(o, field, NULL, 0, &r->influences[i]);
    }
}

static struct bytes record_id(const struct output *o, const struct result_record *r) {
    struct bytes id = start_id(o, "record", r->time_s);
    bytes_append_format(&id, "_%zu", r->detector_index);
    const struct text values[3] = {r->by, r->over, r->partition};
    id_values(&id, values, 3);
    return id;
}

void output_record(struct output *o, const struct result_record *r) {
    const struct detector *d = &o->analysis->detectors[r->detector_index];
    struct bytes id = record_id(o, r);
    begin(o, &id);
    text(o, "result_type", text_of("record"));
    number(o, "probability", r->probability);
    if (!d->over) number(o, "multi_bucket_impact", r->multi_bucket_impact);
    number(o, "record_score", r->score);
    number(o, "initial_record_score", r->score);
    integer(o, "bucket_span", o->analysis->bucket_span_s);
    integer(o, "detector_index", (int64_t)r->detector_index);
    boolean(o, "is_interim", o->interim);
    integer(o, "timestamp", r->time_s * MS);
    field_pair(o, "by", d->by, r->by);
    field_pair(o, "partition", d->partition, r->partition);
    text(o, "function", text_of(d->name));
    text_if(o, "function_description", r->function_description);
    if (!d->over) typical_actual(o, &r->values);
    text_if(o, "field_name", d->field);
    field_pair(o, "over", d->over, r->over);
    causes(o, r);
    influences(o, r->influences, r->influence_count);
    if (!d->over) geo_results(o, &r->values);
    if (!d->over) explanation(o, &r->explanation);
    copies(o, r);
    end(o);
}

// --- model plots and annotations ------------------------------------------------------------

void output_plot(struct output *o, const struct result_plot *p) {
    const struct detector *d = &o->analysis->detectors[p->detector_index];
    struct bytes id = start_id(o, "model_plot", p->time_s);
    bytes_append_format(&id, "_%zu", p->detector_index);
    const struct text values[4] = {p->by, p->over, p->partition, text_of(p->feature)};
    id_values(&id, values, 4);
    begin(o, &id);
    text(o, "result_type", text_of("model_plot"));
    integer(o, "bucket_span", o->analysis->bucket_span_s);
    integer(o, "detector_index", (int64_t)p->detector_index);
    integer(o, "timestamp", p->time_s * MS);
    field_pair(o, "partition", d->partition, p->partition);
    if (p->over.data) field_pair(o, "over", d->over, p->over);
    field_pair(o, "by", d->by, p->by);
    text(o, "model_feature", text_of(p->feature));
    number(o, "model_lower", p->lower);
    number(o, "model_upper", p->upper);
    number(o, "model_median", p->median);
    number(o, "actual", p->actual);
    end(o);
}

void output_annotation(struct output *o, const struct result_annotation *a) {
    const struct detector *d = &o->analysis->detectors[a->detector_index];
    struct bytes id = start_id(o, "annotation", a->time_s);
    bytes_append_format(&id, "_%zu", a->detector_index);
    const struct text values[4] = {a->by, a->over, a->partition, text_of(a->text)};
    id_values(&id, values, 4);
    begin(o, &id);
    text(o, "annotation", text_of(a->text));
    integer(o, "create_time", a->now_ms);
    text(o, "create_username", text_of("_xpack"));
    integer(o, "timestamp", a->time_s * MS);
    integer(o, "end_timestamp", a->time_s * MS);
    integer(o, "modified_time", a->now_ms);
    text(o, "modified_username", text_of("_xpack"));
    text(o, "type", text_of("annotation"));
    text(o, "event", text_of("model_change"));
    integer(o, "detector_index", (int64_t)a->detector_index);
    field_pair(o, "partition", d->partition, a->partition);
    field_pair(o, "over", d->over, a->over);
    field_pair(o, "by", d->by, a->by);
    end(o);
}

// --- memory ---------------------------------------------------------------------------------

static void no_categories(struct output *o) {
    static const char *const counts[] = {
        "categorized_doc_count", "total_category_count", "frequent_category_count",
        "rare_category_count",   "dead_category_count",  "failed_category_count",
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        integer(o, counts[i], 0);
    text(o, "categorization_status", text_of("ok"));
}

void output_size_stats(struct output *o, const struct result_size_stats *s) {
    struct bytes id = {0};
    bytes_append_format(&id, "%s_model_size_stats_%" PRId64, o->analysis->job_id,
                        s->time_s * MS);
    begin(o, &id);
    text(o, "result_type", text_of("model_size_stats"));
    integer(o, "model_bytes", (int64_t)s->model_bytes);
    integer(o, "peak_model_bytes", (int64_t)s->peak_bytes);
    integer(o, "model_bytes_exceeded", (int64_t)s->exceeded_bytes);
    if (s->limit_bytes) integer(o, "model_bytes_memory_limit", (int64_t)s->limit_bytes);
    integer(o, "total_by_field_count", (int64_t)s->by_fields);
    integer(o, "total_over_field_count", (int64_t)s->over_fields);
    integer(o, "total_partition_field_count", (int64_t)s->partition_fields);
    integer(o, "bucket_allocation_failures_count", (int64_t)s->failures);
    text(o, "memory_status", text_of(s->status));
    text(o, "assignment_memory_basis", text_of("current_model_bytes"));
    integer_if(o, "spilled_model_count", (int64_t)s->spilled);
    no_categories(o);
    integer(o, "log_time", s->now_ms);
    integer(o, "timestamp", s->time_s * MS);
    end(o);
}
