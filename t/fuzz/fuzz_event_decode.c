#include "../../src/core/event.h"
#include "fuzz.h"

#include <string.h>

static void check_round_trip(const ratings_rating_t *rating)
{
    ratings_rating_t read;
    size_t len;
    char *value = ratings_event_encode(rating, &len);

    MUST(value && len <= RATINGS_EVENT_VALUE_MAX);
    MUST(!ratings_event_decode(rating->talk_id, strlen(rating->talk_id), value, len, &read));
    MUST(strcmp(read.talk_id, rating->talk_id) == 0 && read.value == rating->value);
    free(value);
}

/* The input is a key, a line feed (which no key has) and a value; without line feed a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    const uint8_t *value = end ? end + 1 : data;
    size_t key_len = end ? (size_t)(end - data) : 0, value_len = size - (size_t)(value - data);
    ratings_rating_t rating;

    ratings_event_checksum(data, key_len, value, value_len);
    if (!ratings_event_decode(end ? data : NULL, key_len, value, value_len, &rating))
        check_round_trip(&rating);
    return 0;
}
