/* A file as a whole. */
#ifndef RATINGS_CTL_FILE_H
#define RATINGS_CTL_FILE_H

#include "audit_failure.h"

#include <stddef.h>

/* Reads `path`, or standard input where it is "-", with a NUL behind it that is not counted. The
 * caller frees it. NULL, and the reason: it cannot be read, or is larger than `size`. */
char *ctl_file_read(const char *path, size_t size, size_t *len, audit_failure_t *why);

#endif
