/* job/output_record.c - records as documents; see output.h. */
#include "job/output_write.h"

#include <stdio.h>

#define MS 1000

// --- records --------------------------------------------------------------------------------

static void influences(struct output *o, const struct result_influence *list, size_t count) {
    if (count == 0) return;
    write_name(o, "influencers");
    for (size_t i = 0; i < count; i++) {
        bytes_append_text(o->lines, i == 0 ? "[{" : ",{");
        bytes_append_text(o->lines, "\"influencer_field_name\":");
        write_quoted(o, text_of(list[i].field));
        bytes_append_text(o->lines, ",\"influencer_field_values\":[");
        for (size_t j = 0; j < list[i].count; j++) {
            if (j > 0) bytes_append_char(o->lines, ',');
            write_quoted(o, list[i].values[j]);
        }
        bytes_append_text(o->lines, "]}");
    }
    bytes_append_char(o->lines, ']');
}

static void typical_actual(struct output *o, const struct result_values *v) {
    if (v->width == 0) return;
    write_numbers(o, "typical", v->typical, v->width);
    write_numbers(o, "actual", v->actual, v->width);
}

static void point(struct output *o, const char *member, const double place[2]) {
    char text_[64];
    int size = snprintf(text_, sizeof text_, "%.12f,%.12f", place[0], place[1]);
    write_text(o, member, (struct text){text_, (size_t)size});
}

static void geo_results(struct output *o, const struct result_values *v) {
    if (v->width != 2) return;
    write_name(o, "geo_results");
    bytes_append_text(o->lines, "{\"result_type\":\"geo_results\"");
    point(o, "typical_point", v->typical);
    point(o, "actual_point", v->actual);
    bytes_append_char(o->lines, '}');
}

// Members of an object that may have none: the comma before the first is taken back.
static void explanation(struct output *o, const struct result_explanation *e) {
    if (!e->present) return;
    write_name(o, "anomaly_score_explanation");
    size_t start = o->lines->size;
    if (e->type != 0) write_text(o, "anomaly_type", text_of(e->type > 0 ? "spike" : "dip"));
    write_integer_if(o, "anomaly_length", e->length);
    write_integer_if(o, "single_bucket_impact", e->single_bucket_impact);
    write_integer_if(o, "multi_bucket_impact", e->multi_bucket_impact);
    write_integer_if(o, "anomaly_characteristics_impact", e->characteristics_impact);
    write_number(o, "lower_confidence_bound", e->lower);
    write_number(o, "typical_value", e->typical);
    write_number(o, "upper_confidence_bound", e->upper);
    write_true_if(o, "high_variance_penalty", e->high_variance);
    write_true_if(o, "incomplete_bucket_penalty", e->incomplete_bucket);
    write_true_if(o, "multimodal_distribution", e->multimodal);
    write_true_if(o, "by_field_first_occurrence", e->by_first_occurrence);
    if (e->by_relative_rarity > 0)
        write_number(o, "by_field_relative_rarity", e->by_relative_rarity);
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
    write_field_pair(o, "by", d->by, c->by);
    write_field_pair(o, "partition", d->partition, r->partition);
    write_text(o, "function", text_of(d->name));
    write_text_if(o, "function_description", c->function_description);
    typical_actual(o, &c->values);
    geo_results(o, &c->values);
    influences(o, c->influences, c->influence_count);
    write_text_if(o, "field_name", d->field);
    write_field_pair(o, "over", d->over, r->over);
    bytes_append_char(o->lines, '}');
}

static void causes(struct output *o, const struct result_record *r) {
    if (r->cause_count == 0) return;
    write_name(o, "causes");
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
    write_quoted(o, text_of(field));
    bytes_append_text(o->lines, ":[");
    for (size_t i = 0; i < own_count; i++) {
        if (i > 0) bytes_append_char(o->lines, ',');
        write_quoted(o, own[i]);
    }
    for (size_t i = 0; more && i < more->count; i++) {
        bool known = repeats(more->values, i);
        for (size_t j = 0; j < own_count; j++)
            known = known || text_equal(own[j], more->values[i]);
        if (known) continue;
        if (own_count > 0 || i > 0) bytes_append_char(o->lines, ',');
        write_quoted(o, more->values[i]);
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
    struct bytes id = write_start_id(o, "record", r->time_s);
    bytes_append_format(&id, "_%zu", r->detector_index);
    const struct text values[3] = {r->by, r->over, r->partition};
    write_id_values(&id, values, 3);
    return id;
}

void output_record(struct output *o, const struct result_record *r) {
    const struct detector *d = &o->analysis->detectors[r->detector_index];
    struct bytes id = record_id(o, r);
    write_begin(o, &id);
    write_text(o, "result_type", text_of("record"));
    write_number(o, "probability", r->probability);
    if (!d->over) write_number(o, "multi_bucket_impact", r->multi_bucket_impact);
    write_number(o, "record_score", r->score);
    write_number(o, "initial_record_score", r->score);
    write_integer(o, "bucket_span", o->analysis->bucket_span_s);
    write_integer(o, "detector_index", (int64_t)r->detector_index);
    write_boolean(o, "is_interim", o->interim);
    write_integer(o, "timestamp", r->time_s * MS);
    write_field_pair(o, "by", d->by, r->by);
    write_field_pair(o, "partition", d->partition, r->partition);
    write_text(o, "function", text_of(d->name));
    write_text_if(o, "function_description", r->function_description);
    if (!d->over) typical_actual(o, &r->values);
    write_text_if(o, "field_name", d->field);
    write_field_pair(o, "over", d->over, r->over);
    causes(o, r);
    influences(o, r->influences, r->influence_count);
    if (!d->over) geo_results(o, &r->values);
    if (!d->over) explanation(o, &r->explanation);
    copies(o, r);
    write_end(o);
}
