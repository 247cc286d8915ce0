#include "rating.h"

#include "form.h"
#include "json.h"
#include "number.h"
#include "utf8.h"

#include <string.h>

static const char no_talk_id[] = "talkId is missing";
static const char talk_id_twice[] = "talkId is given twice";
static const char no_value[] = "value is missing";
static const char value_twice[] = "value is given twice";
static const char bad_value[] = "value must be an integer from 1 to 5";
static const char bad_escape[] = "a % is not followed by two hexadecimal digits";

_Static_assert(RATINGS_TALK_ID_MAX == 255 && RATINGS_VALUE_MIN == 1 && RATINGS_VALUE_MAX == 5,
               "the sentences for the client name these limits");

/* C0, DEL and C1. */
static bool is_control(int32_t point)
{
    return point < 0x20 || (point >= 0x7F && point <= 0x9F);
}

const char *ratings_talk_id_problem(const char *id, size_t len)
{
    size_t used = 0;

    if (len == 0)
        return "talkId must not be empty";
    if (len > RATINGS_TALK_ID_MAX)
        return "talkId must not be longer than 255 bytes";
    for (size_t i = 0; i < len; i += used) {
        int32_t point = ratings_utf8_next(id + i, len - i, &used);

        if (point < 0)
            return "talkId must be valid UTF-8";
        if (is_control(point))
            return "talkId must not contain control characters";
    }
    return NULL;
}

static const char *set_talk_id(char talk_id[RATINGS_TALK_ID_MAX + 1], const char *id, size_t len)
{
    const char *problem = ratings_talk_id_problem(id, len);

    if (problem)
        return problem;
    memcpy(talk_id, id, len);
    talk_id[len] = '\0';
    return NULL;
}

static const char *read_rating_object(const json_t *object, ratings_rating_t *out)
{
    const json_t *id = json_object_get(object, "talkId");
    const json_t *value = json_object_get(object, "value");
    json_int_t number = json_integer_value(value); /* 0 when it is no integer */

    if (!id)
        return no_talk_id;
    if (!json_is_string(id))
        return "talkId must be a string";
    if (!value)
        return no_value;
    if (number < RATINGS_VALUE_MIN || number > RATINGS_VALUE_MAX)
        return bad_value;
    out->value = (int)number;
    return set_talk_id(out->talk_id, json_string_value(id), json_string_length(id));
}

/* RFC 8259, 8.1: none is to be sent, and a parser may ignore it. */
static size_t length_of_byte_order_mark(const char *text, size_t len)
{
    static const char mark[] = "\xEF\xBB\xBF";

    return len >= sizeof mark - 1 && memcmp(text, mark, sizeof mark - 1) == 0 ? sizeof mark - 1 : 0;
}

const char *ratings_rating_from_json(const char *body, size_t len, ratings_rating_t *out)
{
    json_t *object;
    size_t skipped = length_of_byte_order_mark(body, len);
    const char *problem = ratings_json_read(body + skipped, len - skipped, &object);

    if (!problem)
        problem = read_rating_object(object, out);
    json_decref(object);
    return problem;
}

static const char *read_talk_id(const char *form, size_t len, char talk_id[RATINGS_TALK_ID_MAX + 1])
{
    char id[RATINGS_TALK_ID_MAX + 1]; /* holds more than is allowed only when it is too long */
    size_t id_len = 0;
    size_t found = ratings_form_field(form, len, "talkId", id, sizeof id, &id_len);

    if (found == 0)
        return no_talk_id;
    if (found > 1)
        return talk_id_twice;
    return set_talk_id(talk_id, id, id_len);
}

static const char withdraw[] = "withdraw";

static bool is_withdrawal(const char *text, size_t len)
{
    return len == sizeof withdraw - 1 && memcmp(text, withdraw, len) == 0;
}

static const char *value_of_form(const char *form, size_t len, bool may_withdraw, int *value)
{
    char text[sizeof withdraw]; /* longer than any value */
    size_t text_len = 0;
    size_t found = ratings_form_field(form, len, "value", text, sizeof text, &text_len);
    int64_t number = RATINGS_VALUE_NONE;

    if (found == 0)
        return no_value;
    if (found > 1)
        return value_twice;
    if (!(may_withdraw && is_withdrawal(text, text_len)) &&
        (text_len > sizeof text ||
         !ratings_parse_int(text, text_len, RATINGS_VALUE_MIN, RATINGS_VALUE_MAX, &number)))
        return bad_value;
    *value = (int)number;
    return NULL;
}

const char *ratings_talk_id_from_form(const char *body, size_t len,
                                      char talk_id[RATINGS_TALK_ID_MAX + 1])
{
    if (len > 0 && memchr(body, '\0', len))
        return "the form has a NUL character";
    if (!ratings_form_well_formed(body, len))
        return bad_escape;
    return read_talk_id(body, len, talk_id);
}

static const char *read_form(const char *body, size_t len, bool may_withdraw, ratings_rating_t *out)
{
    const char *problem = ratings_talk_id_from_form(body, len, out->talk_id);

    return problem ? problem : value_of_form(body, len, may_withdraw, &out->value);
}

const char *ratings_rating_from_form(const char *body, size_t len, ratings_rating_t *out)
{
    return read_form(body, len, false, out);
}

const char *ratings_rating_from_page_form(const char *body, size_t len, ratings_rating_t *out)
{
    return read_form(body, len, true, out);
}

const char *ratings_talk_id_from_query(const char *query, char talk_id[RATINGS_TALK_ID_MAX + 1])
{
    return ratings_talk_id_from_form(query, query ? strlen(query) : 0, talk_id);
}
