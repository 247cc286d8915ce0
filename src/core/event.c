#include "event.h"

#include "crc32.h"
#include "json.h"

#include <string.h>

char *ratings_event_encode(const ratings_rating_t *rating, size_t *len)
{
    json_t *event = json_pack("{s:i, s:s, s:i}", "version", RATINGS_EVENT_VERSION, "talkId",
                              rating->talk_id, "value", rating->value);
    char *text = ratings_json_write(event, 0);

    *len = text ? strlen(text) : 0;
    return text;
}

static const char *read_object(const json_t *event, ratings_rating_t *out)
{
    const json_t *id = json_object_get(event, "talkId");
    json_int_t value = json_integer_value(json_object_get(event, "value"));

    if (json_integer_value(json_object_get(event, "version")) != RATINGS_EVENT_VERSION)
        return "the event's version is missing or unknown";
    if (ratings_talk_id_problem(json_string_value(id), json_string_length(id)))
        return "the event's talkId is missing or no talk id";
    if (value < RATINGS_VALUE_MIN || value > RATINGS_VALUE_MAX)
        return "the event's value is missing or no rating";
    memcpy(out->talk_id, json_string_value(id), json_string_length(id) + 1);
    out->value = (int)value;
    return NULL;
}

static bool same_bytes(const void *bytes, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

const char *ratings_event_decode(const void *key, size_t key_len, const void *value,
                                 size_t value_len, ratings_rating_t *out)
{
    json_t *event;
    const char *problem;

    if (!value)
        return "the record is a tombstone: it has no value";
    if (value_len > RATINGS_EVENT_VALUE_MAX)
        return "the record's value is too long for an event";
    problem = ratings_json_read(value, value_len, &event);
    if (!problem)
        problem = read_object(event, out);
    json_decref(event);
    if (!problem && !(key && same_bytes(key, key_len, out->talk_id)))
        problem = "the record's key is not the event's talkId";
    return problem;
}

uint32_t ratings_event_checksum(const void *key, size_t key_len, const void *value,
                                size_t value_len)
{
    return ratings_crc32(ratings_crc32(0, key, key_len), value, value_len);
}
