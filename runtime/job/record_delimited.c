/* job/record_delimited.c - see record.h: bodies of delimited lines.
 *     time,host,note                      the first line names the columns
 *     1403481600,a,"said ""no"", twice"   quotes are doubled inside quotes */
#include "base/error.h"
#include "job/record_internal.h"
#include <stdlib.h>
#include <string.h>

struct lines {
    struct record_reader *r;
    const char *at, *end;
    char delimiter, quote;
    uint32_t *columns;  // [column_count] the field that a column holds
    size_t column_count;
};

// One value of a line.
struct cell {
    const char *text;
    size_t size, scratch_at;
    bool copied;  // text stands in scratch at scratch_at
    bool last;    // of its line
};

static bool at_line_end(const struct lines *l) { return l->at == l->end || *l->at == '\n'; }

// Reads up to the quote that closes; l->at is behind the one that opened.
static void read_quoted(struct lines *l, struct cell *cell) {
    struct bytes *scratch = &l->r->scratch;
    cell->copied = true;
    cell->scratch_at = scratch->size;
    while (l->at < l->end) {
        const char *quote = memchr(l->at, l->quote, (size_t)(l->end - l->at));
        const char *stop = quote ? quote : l->end;
        bytes_append(scratch, l->at, (size_t)(stop - l->at));
        l->at = quote ? quote + 1 : l->end;
        if (l->at == l->end || *l->at != l->quote) break;
        bytes_append_char(scratch, *l->at++);
    }
    cell->size = scratch->size - cell->scratch_at;
}

static void read_plain(struct lines *l, struct cell *cell) {
    cell->text = l->at;
    while (!at_line_end(l) && *l->at != l->delimiter)
        l->at++;
    cell->size = (size_t)(l->at - cell->text);
    if (at_line_end(l) && cell->size && cell->text[cell->size - 1] == '\r') cell->size--;
}

// Reads one value and what separates it from the next.
static struct cell read_cell(struct lines *l) {
    struct cell cell = {.text = ""};
    if (l->at < l->end && *l->at == l->quote) {
        l->at++;
        read_quoted(l, &cell);
        while (!at_line_end(l) && *l->at != l->delimiter)
            l->at++;
    } else {
        read_plain(l, &cell);
    }
    cell.last = at_line_end(l);
    if (l->at < l->end) l->at++;
    return cell;
}

static const char *cell_text(const struct lines *l, const struct cell *cell) {
    if (!cell->copied) return cell->text;
    return l->r->scratch.data ? l->r->scratch.data + cell->scratch_at : "";
}

static enum status add_column(struct lines *l, const struct cell *cell, struct error *err) {
    uint32_t *grown = realloc(l->columns, (l->column_count + 1) * sizeof *grown);
    if (!grown || !bytes_ok(&l->r->scratch))
        return fail(err, STATUS_NO_MEMORY, "no memory for the columns of delimited data");
    l->columns = grown;
    l->columns[l->column_count++] = field_find(l->r->fields, cell_text(l, cell), cell->size);
    return STATUS_OK;
}

static enum status read_header(struct lines *l, struct error *err) {
    bool time = false;
    struct cell cell = {0};
    while (!cell.last) {
        cell = read_cell(l);
        enum status status = add_column(l, &cell, err);
        if (status != STATUS_OK) return status;
        time = time || l->columns[l->column_count - 1] == 0;
    }
    if (time) return STATUS_OK;
    return fail(err, STATUS_INVALID, "Cannot find timestamp field '%s' in the CSV header",
                l->r->fields->list[0].name);
}

// Gives the values that were unquoted their texts, now that scratch stays where it is.
static void settle(struct record_reader *r) {
    for (size_t i = 0; i < r->fields->count; i++)
        if (r->record.values[i].kind != RECORD_ABSENT && !r->record.values[i].text)
            r->record.values[i].text =
                r->scratch.data ? r->scratch.data + r->record.values[i].integer : "";
}

static void read_line(struct lines *l) {
    struct record_reader *r = l->r;
    struct cell cell = {0};
    record_clear(r);
    for (size_t column = 0; !cell.last; column++) {
        cell = read_cell(l);
        r->record.seen++;
        uint32_t field = column < l->column_count ? l->columns[column] : FIELD_NONE;
        if (field == FIELD_NONE) continue;
        r->record.values[field] = (struct record_value){
            .kind = RECORD_TEXT,
            .text = cell.copied ? NULL : cell.text,
            .size = cell.size,
            .integer = (int64_t)cell.scratch_at,
        };
    }
    settle(r);
}

static bool blank_line(const struct lines *l) {
    return *l->at == '\n' || (*l->at == '\r' && l->at + 1 < l->end && l->at[1] == '\n');
}

static enum status read_lines(struct lines *l, record_fn *use, void *context,
                              struct error *err) {
    enum status status = l->at < l->end ? read_header(l, err) : STATUS_OK;
    while (status == STATUS_OK && l->at < l->end) {
        if (blank_line(l)) {
            l->at += *l->at == '\r' ? 2 : 1;
            continue;
        }
        read_line(l);
        if (!bytes_ok(&l->r->scratch))
            return fail(err, STATUS_NO_MEMORY, "no memory for a record");
        status = use(context, &l->r->record, err);
    }
    return status;
}

enum status record_read_delimited(struct record_reader *r, const char *body, size_t size,
                                  char delimiter, char quote, record_fn *use, void *context,
                                  struct error *err) {
    struct lines l = {
        .r = r, .at = body, .end = body + size, .delimiter = delimiter, .quote = quote};
    bytes_clear(&r->scratch);
    enum status status = read_lines(&l, use, context, err);
    free(l.columns);
    return status;
}
