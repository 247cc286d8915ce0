/* application/x-www-form-urlencoded (WHATWG URL, section 5), read strictly. Pure functions, any
 * thread. Private to core. */
#ifndef RATINGS_CORE_FORM_H
#define RATINGS_CORE_FORM_H

#include <stdbool.h>
#include <stddef.h>

/* Whether two hexadecimal digits follow each '%'. */
bool ratings_form_well_formed(const char *form, size_t len);

/* How many fields of a well-formed form bear `name`. The value of the last one is decoded into
 * `out`, cut to `size` bytes and not terminated; `*out_len` is the length that it would have had
 * uncut. A field without '=' has an empty value. */
size_t ratings_form_field(const char *form, size_t len, const char *name, char *out, size_t size,
                          size_t *out_len);

/* How many fields a form has; what is empty between two '&' is none. */
size_t ratings_form_fields(const char *form, size_t len);

#endif
