/* store/document.h - one JSON document into one row of a batch, by the mapping and, where it
 * allows, by dynamic mapping. */
#ifndef BLIP_STORE_DOCUMENT_H
#define BLIP_STORE_DOCUMENT_H

#include "store/batch.h"

/* Parses a document and adds it as a row.
 *   id       shown in the reason when a value does not fit
 *   source   [size] the document, JSON_PADDING readable bytes behind it; it must live as long
 *            as the batch
 *   refusal  gets the Elasticsearch error object when the answer is STATUS_INVALID; the batch
 *            is then as before */
enum status document_add(struct batch *b, struct json_reader *reader, duckdb_string_t id,
                         const char *source, size_t size, struct bytes *refusal,
                         struct error *err);

#endif
