#include "accept.h"

#include <apr_lib.h>
#include <string.h>

/* Of a range, in thousandths, as precise as the grammar is: "q=0.8" is 800. What is malformed is
 * taken for not acceptable. */
static int quality_of_text(const char *text)
{
    int quality = text[0] == '1' ? 1000 : 0, place = 100;
    if ((text[0] != '0' && text[0] != '1') || (text[1] && text[1] != '.'))
        return 0;
    for (text += text[1] ? 2 : 1; apr_isdigit(*text) && place > 0; text++, place /= 10)
        quality += (*text - '0') * place;
    return *text == '\0' || *text == ';' ? quality : 0;
}

static int quality_of_range(const char *range)
{
    const char *parameter = strstr(range, ";q=");
    int quality = parameter ? quality_of_text(parameter + 3) : 1000;
    return quality <= 1000 ? quality : 0;
}

/* How closely a range names a type: 3 the type, 2 its first half, 1 any type, 0 another. */
static int closeness(const char *range, const char *type)
{
    size_t length = strcspn(range, ";"), half = strcspn(type, "/") + 1;
    if (length == strlen(type) && strncmp(range, type, length) == 0)
        return 3;
    if (length == half + 1 && strncmp(range, type, half) == 0 && range[half] == '*')
        return 2;
    return length == 3 && strncmp(range, "*/*", 3) == 0;
}

/* That of the range that names it most closely. */
static int quality_of(request_rec *r, const char *accept, const char *type)
{
    const char *range;
    int quality = 0, closest = 0;
    /* in lower case, without blanks */
    while ((range = ap_get_list_item(r->pool, &accept)) != NULL) {
        int close = closeness(range, type);
        if (close <= closest)
            continue;
        closest = close;
        quality = quality_of_range(range);
    }
    return quality;
}

bool ratings_accepts_rather(request_rec *r, const char *type, const char *other)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    return accept && quality_of(r, accept, type) > quality_of(r, accept, other);
}

int ratings_accepts_best(request_rec *r, const char *const *types, int count)
{
    const char *accept = apr_table_get(r->headers_in, "Accept");
    int best = -1, highest = 0;
    if (!accept)
        return 0;
    for (int i = 0; i < count; i++) {
        int quality = quality_of(r, accept, types[i]);
        if (quality > highest) {
            highest = quality;
            best = i;
        }
    }
    return best;
}
