/* frame/render.h - rows of a frame as JSON documents, one a line, from a compiled template.
 *
 *     {"id":"d1","score":  0.25  [ grade > 0: ,"grade":  0.5  ] }
 *     literal              value   when ...    literal  value   literal
 *
 * A template is compiled once and names columns; rendering looks them up in the frame it gets
 * and then only copies bytes and prints numbers: about a microsecond for a document of ten
 * numbers. A row for which the template writes nothing has no document. */
#ifndef BLIP_FRAME_RENDER_H
#define BLIP_FRAME_RENDER_H

#include "base/bytes.h"
#include "frame/frame.h"

#define RENDER_COLUMNS_MAX 64  // columns of one sum or condition

struct template;

/* Creates an empty template; template_free() frees it. NULL when memory runs out. */
struct template *template_new(void);
void template_free(struct template *t);  // NULL is fine

/* The template_...() functions add one part each, in the order of the text. What they are given
 * is copied. STATUS_NO_MEMORY; the template is then good for nothing but template_free(). */

enum status template_literal(struct template *t, const char *text, size_t size,
                             struct error *err);

/* A column's value in its own type: 0.5, 12, true, "text".
 *   decimals  a double is rounded to so many; negative = printed in full
 *   missing   what stands for a missing value; NULL = null */
enum status template_value(struct template *t, const char *column, int decimals,
                           const char *missing, struct error *err);

/* The integer plus + factor * column + ... over INT columns; a missing one counts 0. */
enum status template_sum(struct template *t, int64_t plus, const char *const *columns,
                         const int64_t *factors, size_t count, struct error *err);

enum condition {
    CONDITION_PRESENT,  // every column has a value
    CONDITION_MISSING,  // at least one has none
    CONDITION_ANY,      // at least one BOOL column is true
    CONDITION_ABOVE,    // every column has a value above `than`
    CONDITION_BELOW,    // every column has a value below `than`
};

/* Opens a part that is written only where the condition holds; parts nest. *at goes to
 * template_end(), which closes it. */
enum status template_when(struct template *t, enum condition condition, double than,
                          const char *const *columns, size_t count, size_t *at,
                          struct error *err);
void template_end(struct template *t, size_t at);

/* Appends a line for each row to out, and counts them in *documents.
 * STATUS_INVALID names a column that the frame does not have or that has the wrong type. */
enum status template_render(const struct template *t, const struct frame *f, struct bytes *out,
                            size_t *documents, struct error *err);

#endif
