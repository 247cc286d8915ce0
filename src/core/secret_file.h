/* Files that hold a secret: of RatingsVoterSecret, RatingsStatsHeader, and AWS's credentials. They
 * are read as root, when httpd reads its configuration. Any thread. */
#ifndef RATINGS_CORE_SECRET_FILE_H
#define RATINGS_CORE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

/* Whether the text may name where a secret is: file:PATH, the path absolute. NULL if so; else what
 * is wrong with it (static). */
const char *ratings_secret_source_problem(const char *source);

/* The path of a source that has no problem: a part of it. */
const char *ratings_secret_source_path(const char *source);

/* Reads a regular file, `size` bytes at most, which are fewer than it has if `*length` is `size`.
 * False: `why` says what is wrong with the file, among it that others than its owner and group may
 * read or write it, and `*is_missing` whether there is none. */
bool ratings_secret_file_read(const char *path, char *bytes, size_t size, size_t *length,
                              bool *is_missing, char *why, size_t why_size);

/* The length without the line ends after a secret: an editor that adds one changes nothing. */
size_t ratings_secret_trim(const char *bytes, size_t length);

#endif
