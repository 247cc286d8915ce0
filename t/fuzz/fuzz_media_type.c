#include "../../src/core/media_type.h"
#include "fuzz.h"

#include <string.h>

/* Parameters that follow: none of another name changes what was said, and latin1 is never UTF-8. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char other[] = ";x=\"y\"", latin1[] = ";charset=latin1";
    char *field = calloc(1, size + sizeof latin1);
    size_t len;
    bool is_utf8;

    MUST(field);
    memcpy(field, data, size);
    len = strlen(field);
    (void)ratings_media_type_is(field, "application/json");
    is_utf8 = ratings_media_type_is_utf8(field);
    memcpy(field + len, other, sizeof other);
    MUST(!is_utf8 || ratings_media_type_is_utf8(field));
    memcpy(field + len, latin1, sizeof latin1);
    MUST(!is_utf8 || !ratings_media_type_is_utf8(field));
    free(field);
    return 0;
}
