/* Texts of a schedule, which people typed. Pure functions, any thread. */
#ifndef RATINGS_SCHEDULE_TEXT_H
#define RATINGS_SCHEDULE_TEXT_H

#include <stddef.h>

/* Makes `*out`, which the caller frees, of `text`: runs of blanks, tabs and ends of lines become
 * one blank, those at its ends none. NULL as `*out`: nothing is left. Returns NULL; or what is
 * wrong (static), with `*out` NULL: no UTF-8, another control character, or more than `characters`
 * of them. */
const char *schedule_text_clean(const char *text, size_t characters, char **out);

/* The code at the end of a url: its path's last part that is not empty, without .html; what is
 * behind ? or # does not count. Returns its length, and where it begins; 0: there is none. */
size_t schedule_text_code(const char *url, const char **code);

#endif
