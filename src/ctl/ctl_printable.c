#include "ctl_printable.h"

#include "../core/utf8.h"

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static bool can_be_shown(int32_t point)
{
    return point >= ' ' && (point < 0x7F || point > 0x9F);
}

void ctl_make_printable(char *text)
{
    char *end = text + strlen(text);
    for (size_t used = 1; text < end; text += used) {
        int32_t point = ratings_utf8_next(text, (size_t)(end - text), &used);
        if (can_be_shown(point))
            continue;
        used = 1; /* a control character of two bytes leaves two of these */
        *text = '?';
    }
}
