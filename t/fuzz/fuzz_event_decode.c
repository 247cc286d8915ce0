#include "../../src/core/bar_record.h"
#include "../../src/core/electorate_record.h"
#include "../../src/core/event.h"
#include "../../src/core/routing_record.h"
#include "fuzz.h"

#include <string.h>

static bool same_voter(const ratings_event_t *one, const ratings_event_t *two)
{
    return one->has_voter == two->has_voter &&
           (!one->has_voter || memcmp(&one->voter, &two->voter, sizeof one->voter) == 0);
}

static bool same_event(const ratings_event_t *one, const ratings_event_t *two)
{
    return strcmp(one->rating.talk_id, two->rating.talk_id) == 0 &&
           one->rating.value == two->rating.value && strcmp(one->key.text, two->key.text) == 0 &&
           one->key.window_ms == two->key.window_ms && same_voter(one, two);
}

static void check_round_trip(const ratings_event_t *event)
{
    const char *id = event->rating.talk_id;
    ratings_event_t read;
    size_t len;
    char *value = ratings_event_encode(event, &len);

    MUST(value && len <= RATINGS_EVENT_VALUE_MAX);
    MUST(!ratings_event_decode(id, strlen(id), value, len, &read));
    MUST(same_event(&read, event));
    free(value);
}

/* The value with a blank at its end is the same JSON, and is not what the module would write: it is
 * read by the parser, which must come to the same as what knows our own encoding at sight. */
static void check_agreement(const uint8_t *key, size_t key_len, const uint8_t *value, size_t len)
{
    uint8_t blank[RATINGS_EVENT_VALUE_MAX];
    ratings_event_t one, two;
    const char *first, *second;

    if (len == 0 || len >= sizeof blank)
        return;
    memcpy(blank, value, len);
    blank[len] = ' ';
    first = ratings_event_decode(key, key_len, value, len, &one);
    second = ratings_event_decode(key, key_len, blank, len + 1, &two);
    MUST((first && second && strcmp(first, second) == 0) || (!first && !second));
    if (first)
        return;
    MUST(same_event(&one, &two));
    MUST(one.rating.value != RATINGS_VALUE_NONE || one.has_voter);
}

/* What is nearly ours: the input as the key of an event, and within one. */
static void check_nearly_ours(const uint8_t *data, size_t size)
{
    uint8_t value[RATINGS_EVENT_VALUE_MAX];
    static const char head[] = "{\"version\":1,\"talkId\":\"", tail[] = "\",\"value\":5}";

    if (size > RATINGS_TALK_ID_MAX + 1)
        return;
    memcpy(value, head, sizeof head - 1);
    memcpy(value + sizeof head - 1, data, size);
    memcpy(value + sizeof head - 1 + size, tail, sizeof tail - 1);
    check_agreement(data, size, value, sizeof head - 1 + size + sizeof tail - 1);
}

/* No record is both; and the number is within its bounds, and is what is written back. */
static void check_routing(const uint8_t *key, size_t key_len, const uint8_t *value, size_t len,
                          bool is_event)
{
    enum { MOST = 1024 };
    int partitions = ratings_routing_decode(key, key_len, value, len, MOST);
    size_t written;
    char *text;

    MUST(partitions >= 0 && partitions <= MOST && (partitions == 0 || !is_event));
    if (partitions == 0)
        return;
    text = ratings_routing_encode(partitions, &written);
    MUST(text && ratings_routing_decode(key, key_len, text, written, MOST) == partitions);
    free(text);
}

/* No record is both; and what it says is what is written back. */
static void check_bar(const uint8_t *key, size_t key_len, const uint8_t *value, size_t len,
                      bool is_event)
{
    ratings_bar_t bar, read;
    size_t written;

    if (!ratings_bar_decode(key, key_len, value, len, &bar))
        return;
    MUST(!is_event);
    char *text = ratings_bar_encode(&bar, NULL, &written);
    MUST(text && ratings_bar_decode(key, key_len, text, written, &read));
    MUST(memcmp(&bar.voter, &read.voter, sizeof bar.voter) == 0 && bar.is_barred == read.is_barred);
    free(text);
}

static void check_electorate(const uint8_t *key, size_t key_len, const uint8_t *value, size_t len,
                             bool is_event)
{
    ratings_electorate_record_t record, read;
    size_t written;

    if (!ratings_electorate_decode(key, key_len, value, len, &record))
        return;
    MUST(!is_event && record.begins.name[0]);
    char *text = ratings_electorate_encode(&record, &written);
    MUST(text && ratings_electorate_decode(key, key_len, text, written, &read));
    MUST(ratings_electorate_equal(&record.begins, &read.begins) &&
         ratings_electorate_equal(&record.follows, &read.follows));
    free(text);
}

/* The input is a key, a line feed (which no key has) and a value; without line feed a value. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    const uint8_t *value = end ? end + 1 : data;
    size_t key_len = end ? (size_t)(end - data) : 0, value_len = size - (size_t)(value - data);
    const uint8_t *key = end ? data : NULL;
    ratings_event_t event;
    bool is_event = !ratings_event_decode(key, key_len, value, value_len, &event);

    ratings_event_checksum(data, key_len, value, value_len);
    if (is_event)
        check_round_trip(&event);
    check_routing(key, key_len, value, value_len, is_event);
    check_bar(key, key_len, value, value_len, is_event);
    check_electorate(key, key_len, value, value_len, is_event);
    check_agreement(end ? data : NULL, key_len, value, value_len);
    check_nearly_ours(data, size);
    return 0;
}
