#include "buffer.h"

#include <stdlib.h>
#include <string.h>

#define FIRST_SIZE 4096

/* Doubled each time, so that many pieces cost no more than one. */
static bool reserve(lambda_buffer_t *buffer, size_t needed)
{
    size_t size = buffer->size > 0 ? buffer->size : FIRST_SIZE;
    char *bytes;

    if (needed <= buffer->size)
        return true;
    while (size < needed)
        size *= 2;
    bytes = realloc(buffer->bytes, size);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->size = size;
    return true;
}

bool lambda_buffer_append(lambda_buffer_t *buffer, const void *bytes, size_t len)
{
    if (len > buffer->max - buffer->len || !reserve(buffer, buffer->len + len))
        return false;
    if (len > 0)
        memcpy(buffer->bytes + buffer->len, bytes, len);
    buffer->len += len;
    return true;
}

void lambda_buffer_clear(lambda_buffer_t *buffer)
{
    buffer->len = 0;
}

void lambda_buffer_free(lambda_buffer_t *buffer)
{
    free(buffer->bytes);
    *buffer = (lambda_buffer_t){.max = buffer->max};
}
