/* Strict decimal integers, and the digits of escapes. Pure functions, any thread. */
#ifndef RATINGS_CORE_NUMBER_H
#define RATINGS_CORE_NUMBER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads the whole of `len` bytes as a canonical decimal integer: digits, with a '-' before them if
 * negative; no sign '+', no blanks, no leading zeros, no empty text. False, with `*out` untouched,
 * when it is anything else or outside min..max. */
bool ratings_parse_int(const char *text, size_t len, int64_t min, int64_t max, int64_t *out);

/* The value of a hexadecimal digit, of either case; -1 when it is none. */
int ratings_hex_digit(char c);

/* Writes `count` bytes as 2 * count lower-case hexadecimal digits, and a terminator. */
void ratings_hex_write(const unsigned char *bytes, size_t count, char *text);

/* Reads 2 * count of such digits, lower-case alone. False: some are none; then `bytes` is
 * undefined.
 */
bool ratings_hex_read(const char *text, size_t count, unsigned char *bytes);

#endif
