#include "position.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VERSION "v1-"

enum {
    VERSION_DIGITS = sizeof VERSION - 1,
    PARTITION_DIGITS = 4,
    LOG_DIGITS = 4,
    OFFSET_DIGITS = 12
};

void ratings_position_print(const ratings_position_t *position,
                            char text[RATINGS_POSITION_TEXT_SIZE])
{
    (void)snprintf(text, RATINGS_POSITION_TEXT_SIZE, VERSION "%04x%04x%012" PRIx64,
                   (unsigned)position->partition & 0xffffU, (unsigned)position->log_id,
                   (uint64_t)position->offset & (uint64_t)RATINGS_POSITION_OFFSET_MAX);
}

/* The digits, of which a text has as many as it has; behind them it goes on. */
static bool read_hex(const char **text, int digits, int64_t *out)
{
    static const char hex[] = "0123456789abcdef";
    *out = 0;
    for (int i = 0; i < digits; i++, (*text)++) {
        const char *digit = **text ? strchr(hex, **text) : NULL;
        if (!digit)
            return false;
        *out = *out << 4 | (digit - hex);
    }
    return true;
}

bool ratings_position_parse(const char *text, ratings_position_t *position)
{
    int64_t partition, log_id, offset;
    if (strncmp(text, VERSION, VERSION_DIGITS) != 0)
        return false;
    text += VERSION_DIGITS;
    if (!read_hex(&text, PARTITION_DIGITS, &partition) || !read_hex(&text, LOG_DIGITS, &log_id) ||
        !read_hex(&text, OFFSET_DIGITS, &offset) || *text ||
        partition >= RATINGS_POSITION_PARTITIONS)
        return false;
    *position = (ratings_position_t){(int)partition, (uint16_t)log_id, offset};
    return true;
}

bool ratings_position_is_reached(const ratings_position_t *position, uint16_t log_id,
                                 int64_t checkpoint)
{
    return position->offset == 0 || (checkpoint >= position->offset &&
                                     (position->log_id == 0 || position->log_id == log_id));
}
