#include "bar_record.h"

#include "json.h"
#include "rating.h"

#include <string.h>

_Static_assert(RATINGS_BAR_REASON_MAX == RATINGS_TALK_ID_MAX, "a reason is as a talk's id may be");

bool ratings_bar_reason_is_valid(const char *reason, size_t len)
{
    return !ratings_talk_id_problem(reason, len);
}

const char *ratings_bar_type(const ratings_bar_t *bar)
{
    return bar->is_barred ? RATINGS_BAR_TYPE : RATINGS_UNBAR_TYPE;
}

char *ratings_bar_encode(const ratings_bar_t *bar, const char *reason, size_t *len)
{
    char voter[RATINGS_VOTER_TEXT_SIZE];
    ratings_voter_print(&bar->voter, voter);
    /* not s*, by which a reason that memory ran out for would be none */
    const char *members = reason ? "{s:i, s:s, s:b, s:s}" : "{s:i, s:s, s:b}";
    char *text = ratings_json_write(json_pack(members, "version", RATINGS_BAR_VERSION, "voter",
                                              voter, "barred", bar->is_barred, "reason", reason),
                                    0);
    *len = text ? strlen(text) : 0;
    return text;
}

/* An event of a talk of that name is an event, whatever else is in it. */
static bool read_bar(const json_t *object, ratings_bar_t *bar)
{
    const json_t *voter = json_object_get(object, "voter"),
                 *barred = json_object_get(object, "barred");
    bar->is_barred = json_is_true(barred);
    return json_integer_value(json_object_get(object, "version")) == RATINGS_BAR_VERSION &&
           !json_object_get(object, "talkId") && json_is_boolean(barred) && json_is_string(voter) &&
           ratings_voter_parse(json_string_value(voter), json_string_length(voter), &bar->voter);
}

bool ratings_bar_decode(const void *key, size_t key_len, const void *value, size_t value_len,
                        ratings_bar_t *bar)
{
    json_t *object = ratings_json_read_record(RATINGS_BAR_KEY, RATINGS_BAR_VALUE_MAX, key, key_len,
                                              value, value_len);
    bool is_bar = object && read_bar(object, bar);
    json_decref(object);
    return is_bar;
}
