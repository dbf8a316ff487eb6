/* job/output_write.h - members of result documents, for the files that write them.
 * A member brings the comma that parts it from the one before: write_begin() opens a document
 * with its job_id. */
#ifndef BLIP_JOB_OUTPUT_WRITE_H
#define BLIP_JOB_OUTPUT_WRITE_H

#include "job/output.h"

/* A member's name; its value follows. */
void write_name(struct output *o, const char *member);
void write_quoted(struct output *o, struct text value);  // a value alone

void write_text(struct output *o, const char *member, struct text value);
void write_text_if(struct output *o, const char *member, const char *value);  // unless NULL
void write_number(struct output *o, const char *member, double value);        // if it is finite
void write_numbers(struct output *o, const char *member, const double *values, size_t count);
void write_integer(struct output *o, const char *member, int64_t value);
void write_integer_if(struct output *o, const char *member, int64_t value);  // unless 0
void write_boolean(struct output *o, const char *member, bool value);
void write_true_if(struct output *o, const char *member, bool value);

/* The name and value of a by, over or partition field (`kind`): the value even when it is
 * empty. Nothing when there is no such field. */
void write_field_pair(struct output *o, const char *kind, const char *field, struct text value);

/* An id "<job>_<kind>_<ms>_<span>", and what tells one such result from another. */
struct bytes write_start_id(const struct output *o, const char *kind, int64_t time_s);
void write_id_values(struct bytes *id, const struct text *values, size_t count);

/* The action's line and the begin of a document, which takes the id and frees it; its end. */
void write_begin(struct output *o, struct bytes *id);
void write_end(struct output *o);

#endif
