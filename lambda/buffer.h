/* Bytes that come in pieces, up to a limit. */
#ifndef RATINGS_LAMBDA_BUFFER_H
#define RATINGS_LAMBDA_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct {
    char *bytes; /* not terminated; NULL until there are some */
    size_t len;
    size_t size; /* allocated */
    size_t max;
} lambda_buffer_t;

/* False, with the buffer as it was, when it would exceed `max` or memory ran out. */
bool lambda_buffer_append(lambda_buffer_t *buffer, const void *bytes, size_t len);

/* Empties it; the memory is kept for the next use. */
void lambda_buffer_clear(lambda_buffer_t *buffer);

void lambda_buffer_free(lambda_buffer_t *buffer);

#endif
