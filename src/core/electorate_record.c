#include "electorate_record.h"

#include "json.h"

#include <string.h>

char *ratings_electorate_encode(const ratings_electorate_record_t *record, size_t *len)
{
    char *text = ratings_json_write(json_pack("{s:i, s:s, s:s}", "version",
                                              RATINGS_ELECTORATE_VERSION, "electorate",
                                              record->begins.name, "follows", record->follows.name),
                                    0);

    *len = text ? strlen(text) : 0;
    return text;
}

static bool read_electorate(const json_t *object, const char *member,
                            ratings_electorate_t *electorate)
{
    const json_t *name = json_object_get(object, member);
    return json_is_string(name) &&
           ratings_electorate_parse(json_string_value(name), json_string_length(name), electorate);
}

/* An event of a talk of that name is an event, whatever else is in it. */
static bool read_electorate_record(const json_t *object, ratings_electorate_record_t *record)
{
    const json_t *follows = json_object_get(object, "follows");
    return json_integer_value(json_object_get(object, "version")) == RATINGS_ELECTORATE_VERSION &&
           !json_object_get(object, "talkId") &&
           read_electorate(object, "electorate", &record->begins) &&
           (read_electorate(object, "follows", &record->follows) ||
            (json_is_string(follows) && json_string_length(follows) == 0));
}

bool ratings_electorate_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                               ratings_electorate_record_t *record)
{
    json_t *object = ratings_json_read_record(RATINGS_ELECTORATE_KEY, RATINGS_ELECTORATE_VALUE_MAX,
                                              key, key_len, value, value_len);
    bool is_one = object && read_electorate_record(object, record);

    json_decref(object);
    return is_one;
}
