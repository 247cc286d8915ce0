#include "../../src/core/idempotency.h"
#include "fuzz.h"

#include <string.h>

/* A key that was read is one that an event may carry. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *field = malloc(size + 1), text[RATINGS_KEY_MAX + 1];

    MUST(field);
    memcpy(field, data, size);
    field[size] = '\0';
    if (!ratings_key_from_header(field, text))
        MUST(ratings_key_is_valid(text, strlen(text)));
    free(field);
    return 0;
}
