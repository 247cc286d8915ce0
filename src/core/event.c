#include "event.h"

#include "crc32.h"
#include "json.h"

#include <string.h>

const char *ratings_event_type(const ratings_event_t *event)
{
    return event->rating.value == RATINGS_VALUE_NONE ? RATINGS_EVENT_TYPE_WITHDRAWN
                                                     : RATINGS_EVENT_TYPE;
}

static json_t *value_of_rating(const ratings_rating_t *rating)
{
    return rating->value == RATINGS_VALUE_NONE ? json_null() : json_integer(rating->value);
}

static bool add_voter(json_t *object, const ratings_voter_t *voter)
{
    char text[RATINGS_VOTER_TEXT_SIZE];
    ratings_voter_print(voter, text);
    return json_object_set_new(object, "voter", json_string(text)) == 0;
}

static bool add_key(json_t *object, const ratings_key_t *key)
{
    return json_object_set_new(object, "idempotencyKey", json_string(key->text)) == 0 &&
           json_object_set_new(object, "idempotencyWindow", json_integer(key->window_ms)) == 0;
}

char *ratings_event_encode(const ratings_event_t *event, size_t *len)
{
    const ratings_rating_t *rating = &event->rating;
    json_t *object = json_pack("{s:i, s:s, s:o}", "version", RATINGS_EVENT_VERSION, "talkId",
                               rating->talk_id, "value", value_of_rating(rating));
    char *text = NULL;

    if (object && (!event->has_voter || add_voter(object, &event->voter)) &&
        (!event->key.text[0] || add_key(object, &event->key)))
        text = ratings_json_write(json_incref(object), 0);
    json_decref(object);
    *len = text ? strlen(text) : 0;
    return text;
}

static const char *read_voter(const json_t *object, ratings_event_t *out)
{
    const json_t *voter = json_object_get(object, "voter");

    out->has_voter = voter != NULL;
    out->voter = (ratings_voter_t){{0}};
    return !voter || (json_is_string(voter) &&
                      ratings_voter_parse(json_string_value(voter), json_string_length(voter),
                                          &out->voter))
               ? NULL
               : "the event's voter is not one";
}

/* Of a withdrawal RATINGS_VALUE_NONE; of what is no value a number that is none, either. */
static json_int_t read_event_value(const json_t *object, bool has_voter)
{
    const json_t *value = json_object_get(object, "value");
    if (json_is_null(value) && has_voter)
        return RATINGS_VALUE_NONE;
    return json_is_integer(value) && json_integer_value(value) != RATINGS_VALUE_NONE
               ? json_integer_value(value)
               : -1;
}

static const char *read_rating(const json_t *object, bool has_voter, ratings_rating_t *out)
{
    const json_t *id = json_object_get(object, "talkId");
    json_int_t value = read_event_value(object, has_voter);

    if (ratings_talk_id_problem(json_string_value(id), json_string_length(id)))
        return "the event's talkId is missing or no talk id";
    if (value < RATINGS_VALUE_NONE || value > RATINGS_VALUE_MAX)
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
    problem = read_voter(object, out);
    if (!problem)
        problem = read_rating(object, out->has_voter, &out->rating);
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

/* What is left of a value that is read from its beginning. */
typedef struct {
    const char *at, *end;
} rest_t;

static bool take_bytes(rest_t *rest, const void *bytes, size_t len)
{
    if ((size_t)(rest->end - rest->at) < len || memcmp(rest->at, bytes, len) != 0)
        return false;
    rest->at += len;
    return true;
}

#define TAKE(rest, literal) take_bytes(rest, literal, sizeof(literal) - 1)

static bool take_value(rest_t *rest, int *value)
{
    *value = RATINGS_VALUE_NONE;
    if (TAKE(rest, "null"))
        return true;
    if (rest->at == rest->end)
        return false;
    *value = *rest->at++ - '0';
    return *value >= RATINGS_VALUE_MIN && *value <= RATINGS_VALUE_MAX;
}

static bool take_voter(rest_t *rest, ratings_event_t *out)
{
    const size_t len = RATINGS_VOTER_TEXT_SIZE - 1;
    out->has_voter = TAKE(rest, ",\"voter\":\"");
    if (!out->has_voter)
        return out->rating.value != RATINGS_VALUE_NONE;
    if ((size_t)(rest->end - rest->at) < len || !ratings_voter_parse(rest->at, len, &out->voter))
        return false;
    rest->at += len;
    return TAKE(rest, "\"");
}

/* Nearly every record is byte for byte what ratings_event_encode makes of its key, a value, and
 * maybe a voter, without an idempotency key. That can be seen without reading JSON, which costs
 * twenty times as much; whatever looks otherwise is read as JSON. */
static bool is_as_encoded(const void *key, size_t key_len, const char *value, size_t value_len,
                          ratings_event_t *out)
{
    rest_t rest = {value, value + value_len};
    if (!key || key_len > RATINGS_TALK_ID_MAX || !TAKE(&rest, "{\"version\":1,\"talkId\":\"") ||
        !take_bytes(&rest, key, key_len) || !TAKE(&rest, "\",\"value\":") ||
        !take_value(&rest, &out->rating.value) || !take_voter(&rest, out) || !TAKE(&rest, "}") ||
        rest.at != rest.end || !is_plain(key, key_len))
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
