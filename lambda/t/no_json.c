/* Preloaded by a test: jansson can write nothing. */
#include <jansson.h>

char *json_dumps(const json_t *json, size_t flags)
{
    (void)json;
    (void)flags;
    return NULL;
}
