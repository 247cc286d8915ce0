/* UTF-8 as RFC 3629 has it. Pure functions, any thread. */
#ifndef RATINGS_CORE_UTF8_H
#define RATINGS_CORE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The code point at the head of `text`, whose bytes are counted in `*used`; -1 (and `*used`
 * untouched) when it is malformed: cut short, overlong, a surrogate, above U+10FFFF, or `len` is
 * 0. */
int32_t ratings_utf8_next(const char *text, size_t len, size_t *used);

#endif
