/* job/output.c - see output.h. */
#include "job/output.h"

#include "frame/key.h"
#include "job/output_write.h"
#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#define MS 1000

// --- writing members ------------------------------------------------------------------------

// Each member brings the comma that parts it from the one before; a document opens with job_id.
void write_name(struct output *o, const char *member) {
    bytes_append_text(o->lines, ",\"");
    bytes_append_text(o->lines, member);
    bytes_append_text(o->lines, "\":");
}

void write_quoted(struct output *o, struct text value) {
    bytes_append_quoted(o->lines, value.data ? value.data : "", value.size);
}

void write_text(struct output *o, const char *member, struct text value) {
    write_name(o, member);
    write_quoted(o, value);
}

void write_text_if(struct output *o, const char *member, const char *value) {
    if (value) write_text(o, member, text_of(value));
}

void write_number(struct output *o, const char *member, double value) {
    if (!isfinite(value)) return;
    write_name(o, member);
    bytes_append_double(o->lines, value);
}

void write_integer(struct output *o, const char *member, int64_t value) {
    write_name(o, member);
    bytes_append_int(o->lines, value);
}

void write_integer_if(struct output *o, const char *member, int64_t value) {
    if (value != 0) write_integer(o, member, value);
}

void write_boolean(struct output *o, const char *member, bool value) {
    write_name(o, member);
    bytes_append_text(o->lines, value ? "true" : "false");
}

void write_true_if(struct output *o, const char *member, bool value) {
    if (value) write_boolean(o, member, true);
}

void write_numbers(struct output *o, const char *member, const double *values, size_t count) {
    write_name(o, member);
    for (size_t i = 0; i < count; i++) {
        bytes_append_char(o->lines, i == 0 ? '[' : ',');
        bytes_append_double(o->lines, values[i]);
    }
    bytes_append_char(o->lines, ']');
}

// The name and value of a by, over or partition field: the value even when it is empty.
void write_field_pair(struct output *o, const char *kind, const char *field,
                      struct text value) {
    if (!field) return;
    char member[40];
    snprintf(member, sizeof member, "%s_field_name", kind);
    write_text(o, member, text_of(field));
    if (!value.data) return;
    snprintf(member, sizeof member, "%s_field_value", kind);
    write_text(o, member, value);
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
    write_quoted(o, text_of(o->analysis->job_id));
}

void write_begin(struct output *o, struct bytes *id) {
    if (!bytes_ok(id)) o->lines->failed = true;
    action(o, "index", id->data, id->size);
    keep_id(o, id->data, id->size);
    bytes_free(id);
    open_object(o);
}

void write_end(struct output *o) { bytes_append_text(o->lines, "}\n"); }

struct bytes write_start_id(const struct output *o, const char *kind, int64_t time_s) {
    struct bytes id = {0};
    bytes_append_format(&id, "%s_%s_%" PRId64 "_%" PRId64, o->analysis->job_id, kind,
                        time_s * MS, o->analysis->bucket_span_s);
    return id;
}

// Values become a hash and their length in ids: they may be long, and hold anything.
void write_id_values(struct bytes *id, const struct text *values, size_t count) {
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
    write_text(o, "result_type", text_of("bucket_influencer"));
    write_text(o, "influencer_field_name", text_of(i->field));
    write_number(o, "initial_anomaly_score", i->score);
    write_number(o, "anomaly_score", i->score);
    write_number(o, "raw_anomaly_score", i->raw);
    write_number(o, "probability", i->probability);
    write_integer(o, "timestamp", b->time_s * MS);
    write_integer(o, "bucket_span", o->analysis->bucket_span_s);
    write_boolean(o, "is_interim", o->interim);
    bytes_append_char(o->lines, '}');
}

static void scheduled_events(struct output *o, const struct result_bucket *b) {
    if (b->event_descriptions == 0) return;
    write_name(o, "scheduled_events");
    for (size_t i = 0; i < b->event_descriptions; i++) {
        bytes_append_char(o->lines, i == 0 ? '[' : ',');
        write_quoted(o, text_of(b->events[i]));
    }
    bytes_append_char(o->lines, ']');
}

// Clients of the old prefix read them; a bucket without any has no such member.
static void partition_scores(struct output *o, const struct result_bucket *b) {
    if (b->partition_count == 0) return;
    write_name(o, "partition_scores");
    for (size_t i = 0; i < b->partition_count; i++) {
        const struct result_partition *p = &b->partitions[i];
        bytes_append_text(o->lines, i == 0 ? "[{" : ",{");
        bytes_append_text(o->lines, "\"partition_field_name\":");
        write_quoted(o, text_of(p->field));
        write_text(o, "partition_field_value", p->value);
        write_number(o, "initial_record_score", p->score);
        write_number(o, "record_score", p->score);
        write_number(o, "probability", p->probability);
        bytes_append_char(o->lines, '}');
    }
    bytes_append_char(o->lines, ']');
}

void output_bucket(struct output *o, const struct result_bucket *b) {
    struct bytes id = write_start_id(o, "bucket", b->time_s);
    write_begin(o, &id);
    write_integer(o, "timestamp", b->time_s * MS);
    write_number(o, "anomaly_score", b->score);
    write_integer(o, "bucket_span", o->analysis->bucket_span_s);
    write_number(o, "initial_anomaly_score", b->score);
    write_integer(o, "event_count", (int64_t)b->event_count);
    write_boolean(o, "is_interim", o->interim);
    write_name(o, "bucket_influencers");
    bytes_append_char(o->lines, '[');
    for (size_t i = 0; i < b->influencer_count; i++) {
        if (i > 0) bytes_append_char(o->lines, ',');
        bucket_influencer(o, b, &b->influencers[i]);
    }
    bytes_append_char(o->lines, ']');
    write_integer(o, "processing_time_ms", b->processing_ms);
    partition_scores(o, b);
    scheduled_events(o, b);
    write_text(o, "result_type", text_of("bucket"));
    write_end(o);
}

void output_influencer(struct output *o, const struct result_influencer *i) {
    struct bytes id = write_start_id(o, "influencer", i->time_s);
    bytes_append_char(&id, '_');
    bytes_append_text(&id, i->field);
    write_id_values(&id, &i->value, 1);
    write_begin(o, &id);
    write_text(o, "result_type", text_of("influencer"));
    write_text(o, "influencer_field_name", text_of(i->field));
    write_text(o, "influencer_field_value", i->value);
    if (!output_reserved(i->field)) {
        bytes_append_char(o->lines, ',');
        write_quoted(o, text_of(i->field));
        bytes_append_char(o->lines, ':');
        write_quoted(o, i->value);
    }
    write_number(o, "influencer_score", i->score);
    write_number(o, "initial_influencer_score", i->score);
    write_number(o, "probability", i->probability);
    write_integer(o, "bucket_span", o->analysis->bucket_span_s);
    write_boolean(o, "is_interim", o->interim);
    write_integer(o, "timestamp", i->time_s * MS);
    write_end(o);
}

// --- model plots and annotations ------------------------------------------------------------

void output_plot(struct output *o, const struct result_plot *p) {
    const struct detector *d = &o->analysis->detectors[p->detector_index];
    struct bytes id = write_start_id(o, "model_plot", p->time_s);
    bytes_append_format(&id, "_%zu", p->detector_index);
    const struct text values[4] = {p->by, p->over, p->partition, text_of(p->feature)};
    write_id_values(&id, values, 4);
    write_begin(o, &id);
    write_text(o, "result_type", text_of("model_plot"));
    write_integer(o, "bucket_span", o->analysis->bucket_span_s);
    write_integer(o, "detector_index", (int64_t)p->detector_index);
    write_integer(o, "timestamp", p->time_s * MS);
    write_field_pair(o, "partition", d->partition, p->partition);
    if (p->over.data) write_field_pair(o, "over", d->over, p->over);
    write_field_pair(o, "by", d->by, p->by);
    write_text(o, "model_feature", text_of(p->feature));
    write_number(o, "model_lower", p->lower);
    write_number(o, "model_upper", p->upper);
    write_number(o, "model_median", p->median);
    write_number(o, "actual", p->actual);
    write_end(o);
}

void output_annotation(struct output *o, const struct result_annotation *a) {
    const struct detector *d = &o->analysis->detectors[a->detector_index];
    struct bytes id = write_start_id(o, "annotation", a->time_s);
    bytes_append_format(&id, "_%zu", a->detector_index);
    const struct text values[4] = {a->by, a->over, a->partition, text_of(a->text)};
    write_id_values(&id, values, 4);
    write_begin(o, &id);
    write_text(o, "annotation", text_of(a->text));
    write_integer(o, "create_time", a->now_ms);
    write_text(o, "create_username", text_of("_xpack"));
    write_integer(o, "timestamp", a->time_s * MS);
    write_integer(o, "end_timestamp", a->time_s * MS);
    write_integer(o, "modified_time", a->now_ms);
    write_text(o, "modified_username", text_of("_xpack"));
    write_text(o, "type", text_of("annotation"));
    write_text(o, "event", text_of("model_change"));
    write_integer(o, "detector_index", (int64_t)a->detector_index);
    write_field_pair(o, "partition", d->partition, a->partition);
    write_field_pair(o, "over", d->over, a->over);
    write_field_pair(o, "by", d->by, a->by);
    write_end(o);
}

// --- memory ---------------------------------------------------------------------------------

static void no_categories(struct output *o) {
    static const char *const counts[] = {
        "categorized_doc_count", "total_category_count", "frequent_category_count",
        "rare_category_count",   "dead_category_count",  "failed_category_count",
    };
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        write_integer(o, counts[i], 0);
    write_text(o, "categorization_status", text_of("ok"));
}

void output_size_stats(struct output *o, const struct result_size_stats *s) {
    struct bytes id = {0};
    bytes_append_format(&id, "%s_model_size_stats_%" PRId64, o->analysis->job_id,
                        s->time_s * MS);
    write_begin(o, &id);
    write_text(o, "result_type", text_of("model_size_stats"));
    write_integer(o, "model_bytes", (int64_t)s->model_bytes);
    write_integer(o, "peak_model_bytes", (int64_t)s->peak_bytes);
    write_integer(o, "model_bytes_exceeded", (int64_t)s->exceeded_bytes);
    if (s->limit_bytes) write_integer(o, "model_bytes_memory_limit", (int64_t)s->limit_bytes);
    write_integer(o, "total_by_field_count", (int64_t)s->by_fields);
    write_integer(o, "total_over_field_count", (int64_t)s->over_fields);
    write_integer(o, "total_partition_field_count", (int64_t)s->partition_fields);
    write_integer(o, "bucket_allocation_failures_count", (int64_t)s->failures);
    write_text(o, "memory_status", text_of(s->status));
    write_text(o, "assignment_memory_basis", text_of("current_model_bytes"));
    write_integer_if(o, "spilled_model_count", (int64_t)s->spilled);
    no_categories(o);
    write_integer(o, "log_time", s->now_ms);
    write_integer(o, "timestamp", s->time_s * MS);
    write_end(o);
}
