#include "event.h"

#include "crc32.h"
#include "json.h"

#include <string.h>

static bool add_key(json_t *object, const ratings_key_t *key)
{
    return json_object_set_new(object, "idempotencyKey", json_string(key->text)) == 0 &&
           json_object_set_new(object, "idempotencyWindow", json_integer(key->window_ms)) == 0;
}

char *ratings_event_encode(const ratings_event_t *event, size_t *len)
{
    const ratings_rating_t *rating = &event->rating;
    json_t *object = json_pack("{s:i, s:s, s:i}", "version", RATINGS_EVENT_VERSION, "talkId",
                               rating->talk_id, "value", rating->value);
    char *text = NULL;

    if (object && (!event->key.text[0] || add_key(object, &event->key)))
        text = ratings_json_write(json_incref(object), 0);
    json_decref(object);
    *len = text ? strlen(text) : 0;
    return text;
}

static const char *read_rating(const json_t *object, ratings_rating_t *out)
{
    const json_t *id = json_object_get(object, "talkId");
    json_int_t value = json_integer_value(json_object_get(object, "value"));

    if (ratings_talk_id_problem(json_string_value(id), json_string_length(id)))
        return "the event's talkId is missing or no talk id";
    if (value < RATINGS_VALUE_MIN || value > RATINGS_VALUE_MAX)
        return "the event's value is missing or no rating";
    memcpy(out->talk_id, json_string_value(id), json_string_length(id) + 1);
    out->value = (int)value;
    return NULL;
}

static const char *read_key(const json_t *object, ratings_key_t *out)
{
    const json_t *key = json_object_get(object, "idempotencyKey");
    json_int_t window = json_integer_value(json_object_get(object, "idempotencyWindow"));

    out->text[0] = '\0';
    out->window_ms = 0;
    if (!key)
        return NULL;
    if (!json_is_string(key) ||
        !ratings_key_is_valid(json_string_value(key), json_string_length(key)))
        return "the event's idempotencyKey is not one";
    if (window < 1 || window > RATINGS_KEY_WINDOW_MAX)
        return "the event's idempotencyWindow is missing or out of range";
    memcpy(out->text, json_string_value(key), json_string_length(key) + 1);
    out->window_ms = window;
    return NULL;
}

static const char *read_event(const json_t *object, ratings_event_t *out)
{
    const char *problem;

    if (json_integer_value(json_object_get(object, "version")) != RATINGS_EVENT_VERSION)
        return "the event's version is missing or unknown";
    problem = read_rating(object, &out->rating);
    return problem ? problem : read_key(object, &out->key);
}

/* ---- our own encoding ---- */

/* Whether JSON writes the text unchanged, without escapes. */
static bool is_plain(const char *text, size_t len)
{
    bool ascii = true;

    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"' || text[i] == '\\')
            return false;
        ascii &= text[i] >= ' ' && text[i] < 0x7F;
    }
    return ascii ? len > 0 : !ratings_talk_id_problem(text, len);
}

/* Nearly every record is byte for byte what ratings_event_encode makes of its key and one digit,
 * without an idempotency key. That can be seen without reading JSON, which costs twenty times as
 * much; whatever looks otherwise is read as JSON. */
static bool is_as_encoded(const void *key, size_t key_len, const char *value, size_t value_len,
                          ratings_event_t *out)
{
    static const char head[] = "{\"version\":1,\"talkId\":\"", middle[] = "\",\"value\":";
    const size_t head_len = sizeof head - 1, middle_len = sizeof middle - 1;
    const char *digit = value + head_len + key_len + middle_len;

    if (!key || key_len > RATINGS_TALK_ID_MAX || value_len != head_len + key_len + middle_len + 2 ||
        memcmp(value, head, head_len) != 0 || memcmp(value + head_len, key, key_len) != 0 ||
        memcmp(digit - middle_len, middle, middle_len) != 0 || digit[1] != '}')
        return false;
    out->rating.value = *digit - '0';
    if (out->rating.value < RATINGS_VALUE_MIN || out->rating.value > RATINGS_VALUE_MAX ||
        !is_plain(key, key_len))
        return false;
    memcpy(out->rating.talk_id, key, key_len);
    out->rating.talk_id[key_len] = '\0';
    out->key.text[0] = '\0';
    out->key.window_ms = 0;
    return true;
}

/* ---- any encoding ---- */

static bool same_bytes(const void *bytes, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(bytes, text, len) == 0;
}

const char *ratings_event_decode(const void *key, size_t key_len, const void *value,
                                 size_t value_len, ratings_event_t *out)
{
    json_t *object;
    const char *problem;

    if (!value)
        return "the record is a tombstone: it has no value";
    if (value_len > RATINGS_EVENT_VALUE_MAX)
        return "the record's value is too long for an event";
    if (is_as_encoded(key, key_len, value, value_len, out))
        return NULL;
    problem = ratings_json_read(value, value_len, &object);
    if (!problem)
        problem = read_event(object, out);
    json_decref(object);
    if (!problem && !(key && same_bytes(key, key_len, out->rating.talk_id)))
        problem = "the record's key is not the event's talkId";
    return problem;
}

uint32_t ratings_event_checksum(const void *key, size_t key_len, const void *value,
                                size_t value_len)
{
    return ratings_crc32(ratings_crc32(0, key, key_len), value, value_len);
}
