/* The part of jansson's interface that core uses, with the strictness that it wants. Any thread.
 * Private to core. */
#ifndef RATINGS_CORE_JSON_H
#define RATINGS_CORE_JSON_H

#include <jansson.h>
#include <stddef.h>

/* Containers in containers. The parser recurses, and a worker thread's stack may be small. */
#define RATINGS_JSON_DEPTH_MAX 64

extern const char ratings_memory_problem[]; /* what readers and writers say when it ran out */

/* Reads the whole of `len` bytes as one JSON object (RFC 8259) without a duplicate member at any
 * depth. The caller owns `*object`. NULL, or what is wrong (static) with `*object` NULL. */
const char *ratings_json_read(const char *text, size_t len, json_t **object);

/* The same for the value of a record that has `expected` as its key, and at most `max` bytes. The
 * caller owns the object. NULL: it has another key, no value or a longer one, or that is no such
 * object. `key` and `value` NULL with length 0 are allowed. */
json_t *ratings_json_read_record(const char *expected, size_t max, const void *key, size_t key_len,
                                 const void *value, size_t value_len);

/* A number as JavaScript writes it: 5, not 5.0, when it is whole. The caller owns the reference.
 * NULL when it is not finite, or memory ran out. */
json_t *ratings_json_number(double number);

/* The text of `root` as json_dumps() writes it, malloc()ed; NULL (also for a `root` of NULL) when
 * memory ran out. In the place of json_dumps(), which leaves out the name of a member that it has
 * no memory for, and returns a success (findings/jansson-dump-without-memory.sh). For all
 * rooms. */
char *ratings_json_dump(const json_t *root, size_t flags);

/* Compact text of `root`, malloc()ed; `real`, the only real number in it, has the
 * fewest digits that read back the same. Takes over the reference to `root`; NULL (also for a
 * `root` of NULL) when memory ran out. */
char *ratings_json_write(json_t *root, double real);

#endif
