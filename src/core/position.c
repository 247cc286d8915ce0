#include "position.h"

#include "number.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define VERSION "v1-"

enum { PARTITION_SIZE = 2, LOG_SIZE = 2, OFFSET_SIZE = 6 }; /* bytes, two digits each */

void ratings_position_print(const ratings_position_t *position,
                            char text[RATINGS_POSITION_TEXT_SIZE])
{
    (void)snprintf(text, RATINGS_POSITION_TEXT_SIZE, VERSION "%04x%04x%012" PRIx64,
                   (unsigned)position->partition & 0xffffU, (unsigned)position->log_id,
                   (uint64_t)position->offset & (uint64_t)RATINGS_POSITION_OFFSET_MAX);
}

/* The first byte is the highest. */
static int64_t number_of(const unsigned char *bytes, size_t count)
{
    int64_t number = 0;
    for (size_t i = 0; i < count; i++)
        number = number << 8 | bytes[i];
    return number;
}

bool ratings_position_parse(const char *text, ratings_position_t *position)
{
    const size_t version = sizeof VERSION - 1;
    unsigned char bytes[PARTITION_SIZE + LOG_SIZE + OFFSET_SIZE];
    if (strlen(text) != RATINGS_POSITION_TEXT_SIZE - 1 || strncmp(text, VERSION, version) != 0 ||
        !ratings_hex_read(text + version, sizeof bytes, bytes))
        return false;
    int64_t partition = number_of(bytes, PARTITION_SIZE);
    int64_t log_id = number_of(bytes + PARTITION_SIZE, LOG_SIZE);
    int64_t offset = number_of(bytes + PARTITION_SIZE + LOG_SIZE, OFFSET_SIZE);
    if (partition >= RATINGS_POSITION_PARTITIONS)
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
