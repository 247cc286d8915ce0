/* Where in a JSON text a value is: jansson does not say. Pure functions, any thread. */
#ifndef RATINGS_SCHEDULE_JSON_LINE_H
#define RATINGS_SCHEDULE_JSON_LINE_H

#include <stddef.h>

/* A step from a value into it: a member by its name, or a member or an element by its number. */
typedef struct {
    const char *name; /* NULL: by number; as the text has it, so without anything escaped */
    size_t number;    /* from 0 */
} schedule_step_t;

/* Where the value is that the steps lead to, or the last one on the way to it that is there.
 * `text` is JSON, which jansson has read, and ends with a NUL. */
const char *schedule_json_find(const char *text, const schedule_step_t *steps, size_t count);

#endif
