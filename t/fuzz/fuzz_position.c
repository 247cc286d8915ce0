#include "../../src/core/position.h"
#include "fuzz.h"

#include <string.h>

/* What is read is within its bounds, and printed as it was. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_position_t position;
    char *text = malloc(size + 1), again[RATINGS_POSITION_TEXT_SIZE];

    MUST(text);
    memcpy(text, data, size);
    text[size] = '\0';
    if (ratings_position_parse(text, &position)) {
        MUST(position.partition >= 0 && position.partition < RATINGS_POSITION_PARTITIONS);
        MUST(position.offset >= 0 && position.offset <= RATINGS_POSITION_OFFSET_MAX);
        ratings_position_print(&position, again);
        MUST(strcmp(again, text) == 0);
        MUST(position.log_id == 0 || position.offset == 0 ||
             !ratings_position_is_reached(&position, (uint16_t)(position.log_id ^ 1), INT64_MAX));
    }
    free(text);
    return 0;
}
