#include "../../src/core/event.h"
#include "fuzz.h"

#include <string.h>

static void check_round_trip(const ratings_event_t *event)
{
    const char *id = event->rating.talk_id;
    ratings_event_t read;
    size_t len;
    char *value = ratings_event_encode(event, &len);

    MUST(value && len <= RATINGS_EVENT_VALUE_MAX);
    MUST(!ratings_event_decode(id, strlen(id), value, len, &read));
    MUST(strcmp(read.rating.talk_id, id) == 0 && read.rating.value == event->rating.value);
    MUST(strcmp(read.key.text, event->key.text) == 0 && read.key.window_ms == event->key.window_ms);
    free(value);
}

/* The input is a key, a line feed (which no key has) and a value; without line feed a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    const uint8_t *value = end ? end + 1 : data;
    size_t key_len = end ? (size_t)(end - data) : 0, value_len = size - (size_t)(value - data);
    ratings_event_t event;

    ratings_event_checksum(data, key_len, value, value_len);
    if (!ratings_event_decode(end ? data : NULL, key_len, value, value_len, &event))
        check_round_trip(&event);
    return 0;
}
