/* Files that hold a secret: of RatingsVoterSecret, connection strings, RatingsStatsHeader,
 * properties of librdkafka, and AWS's credentials. They are read as root, when httpd reads its
 * configuration, and by ratingsctl. Any thread. */
#ifndef RATINGS_CORE_SECRET_FILE_H
#define RATINGS_CORE_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#define RATINGS_SECRET_TEXT_SIZE 16384 /* bytes of a text with its NUL: a chain of certificates */

/* Whether a value says that what is meant is in a file: it begins with file: */
bool ratings_secret_is_source(const char *value);

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

/* Reads the text that the file of a source holds, without the line ends after it, into `text`,
 * which has RATINGS_SECRET_TEXT_SIZE bytes and is for the caller to wipe. False, with nothing in
 * `text`: `why` says what is wrong with the source or its file, and quotes neither. */
bool ratings_secret_text_load(const char *source, char *text, char *why, size_t size);

#endif
