/* Base64 (RFC 4648, section 4), read strictly. Pure functions. */
#ifndef RATINGS_LAMBDA_BASE64_H
#define RATINGS_LAMBDA_BASE64_H

#include <stdbool.h>
#include <stddef.h>

/* The decoded bytes, malloc()ed, in `*out`, owned by the caller. False, with `*out` NULL, when the
 * text is anything but full groups of four, the last one padded with '=' and without stray bits;
 * or memory ran out. */
bool lambda_base64_decode(const char *text, size_t len, char **out, size_t *out_len);

#endif
