#include "../../src/core/redact.h"
#include "fuzz.h"

#include <string.h>

/* Any text is redacted, within bounds. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *connection = malloc(size + 1), *once;

    MUST(connection);
    memcpy(connection, data, size);
    connection[size] = '\0';
    once = ratings_redact(connection);
    MUST(once && strlen(once) <= 4 * size + 3);
    free(once);
    free(connection);
    return 0;
}
