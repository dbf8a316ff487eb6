/* job/record_internal.h - what the readers of JSON and of delimited bodies share. */
#ifndef BLIP_JOB_RECORD_INTERNAL_H
#define BLIP_JOB_RECORD_INTERNAL_H

#include "base/bytes.h"
#include "base/json.h"
#include "job/record.h"

struct record_reader {
    const struct fields *fields;
    struct record record;
    struct json_reader *json;
    struct bytes path;     // dotted name of the value that is read
    struct bytes scratch;  // joined arrays, unquoted values
    struct bytes padded;   // a copy of an object too near the body's end
    size_t failures;       // malformed objects of this body
    size_t largest;        // bytes of the largest object since the memory was given back
};

/* Forgets the record before. */
void record_clear(struct record_reader *r);

#endif
