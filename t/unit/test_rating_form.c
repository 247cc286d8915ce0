#include "../../src/core/rating.h"
#include "unit.h"

static const char nul[] = "the form has a NUL character";
static const char bad_escape[] = "a % is not followed by two hexadecimal digits";
static const char bad_value[] = "value must be an integer from 1 to 5";
static const char no_talk[] = "talkId is missing";
static const char no_value[] = "value is missing";
static const char empty[] = "talkId must not be empty";
static const char too_long[] = "talkId must not be longer than 255 bytes";
static const char no_utf8[] = "talkId must be valid UTF-8";
static const char control[] = "talkId must not contain control characters";
static const char talk_twice[] = "talkId is given twice";
static const char value_twice[] = "value is given twice";

typedef struct {
    const char *name;
    const char *body;
    size_t len;
    const char *problem; /* NULL: accepted as ... */
    const char *talk_id;
    int value;
} row_t;

static row_t rows[] = {
    {"the lowest value is read", BYTES("talkId=t&value=1"), NULL, "t", 1},
    {"the highest value is read", BYTES("talkId=t&value=5"), NULL, "t", 5},
    {"fields may come in any order", BYTES("value=3&talkId=t"), NULL, "t", 3},
    {"other fields are ignored", BYTES("a=b&talkId=t&x&=&value=4&value2=9"), NULL, "t", 4},
    {"empty fields are skipped", BYTES("&&talkId=t&&value=4&"), NULL, "t", 4},
    {"names differ by case", BYTES("talkid=a&talkId=t&VALUE=1&value=4"), NULL, "t", 4},
    {"a longer name is another", BYTES("talkIdx=a&talkId=t&value=4"), NULL, "t", 4},
    {"a shorter name is another", BYTES("talkI=a&talkId=t&valu=1&value=4"), NULL, "t", 4},
    {"plus is a space", BYTES("talkId=a+b&value=4"), NULL, "a b", 4},
    {"an escaped plus is a plus", BYTES("talkId=a%2Bb&value=4"), NULL, "a+b", 4},
    {"escapes take either case", BYTES("talkId=%c3%A9%C3%a9&value=4"), NULL, "\xC3\xA9\xC3\xA9", 4},
    {"an escaped name is the same name", BYTES("%74alkId=t&v%61lue=4"), NULL, "t", 4},
    {"escaped separators are data", BYTES("talkId=a%26value%3D1%25&value=4"), NULL, "a&value=1%",
     4},
    {"only the first equals sign separates", BYTES("talkId=a=b&value=4"), NULL, "a=b", 4},
    {"a semicolon does not separate", BYTES("talkId=a;value=1&value=4"), NULL, "a;value=1", 4},
    {"an escaped digit is a digit", BYTES("talkId=t&value=%34"), NULL, "t", 4},
    {"raw UTF-8 is allowed", BYTES("talkId=caf\xC3\xA9&value=4"), NULL, "caf\xC3\xA9", 4},

    {"value 0 is refused", BYTES("talkId=t&value=0"), bad_value, NULL, 0},
    {"value 6 is refused", BYTES("talkId=t&value=6"), bad_value, NULL, 0},
    {"value -1 is refused", BYTES("talkId=t&value=-1"), bad_value, NULL, 0},
    {"value 5.0 is refused", BYTES("talkId=t&value=5.0"), bad_value, NULL, 0},
    {"value 1e0 is refused", BYTES("talkId=t&value=1e0"), bad_value, NULL, 0},
    {"value 05 is refused", BYTES("talkId=t&value=05"), bad_value, NULL, 0},
    {"a value with a plus sign is refused", BYTES("talkId=t&value=%2B5"), bad_value, NULL, 0},
    {"a value with a blank before is refused", BYTES("talkId=t&value=+5"), bad_value, NULL, 0},
    {"a value with a blank after is refused", BYTES("talkId=t&value=5+"), bad_value, NULL, 0},
    {"a value in quotes is refused", BYTES("talkId=t&value=\"5\""), bad_value, NULL, 0},
    {"a value in words is refused", BYTES("talkId=t&value=true"), bad_value, NULL, 0},
    {"an empty value is refused", BYTES("talkId=t&value="), bad_value, NULL, 0},
    {"a value without equals sign is refused", BYTES("talkId=t&value"), bad_value, NULL, 0},
    {"a value and a NUL are refused", BYTES("talkId=t&value=5%00"), bad_value, NULL, 0},
    {"a value and a raw NUL are refused", BYTES("talkId=t&value=5\0"), nul, NULL, 0},
    {"a value of three digits is refused", BYTES("talkId=t&value=555"), bad_value, NULL, 0},
    {"a value beyond 64 bits is refused", BYTES("talkId=t&value=99999999999999999999"), bad_value,
     NULL, 0},
    {"no value is refused", BYTES("talkId=t"), no_value, NULL, 0},

    {"an empty body is refused", BYTES(""), no_talk, NULL, 0},
    {"no talkId is refused", BYTES("value=5"), no_talk, NULL, 0},
    {"a field without a name is not talkId", BYTES("=t&value=5"), no_talk, NULL, 0},
    {"JSON is refused", BYTES("{\"talkId\":\"t\",\"value\":5}"), no_talk, NULL, 0},
    {"an empty talkId is refused", BYTES("talkId=&value=5"), empty, NULL, 0},
    {"a talkId without equals sign is refused", BYTES("talkId&value=5"), empty, NULL, 0},
    {"a NUL in the id is refused", BYTES("talkId=a%00b&value=5"), control, NULL, 0},
    {"a raw NUL in another field is refused", BYTES("talkId=t&value=5&x=\0"), nul, NULL, 0},
    {"a raw NUL in the id is refused", BYTES("talkId=a\0b&value=5"), nul, NULL, 0},
    {"a line feed in the id is refused", BYTES("talkId=a%0Ab&value=5"), control, NULL, 0},
    {"DEL in the id is refused", BYTES("talkId=%7F&value=5"), control, NULL, 0},
    {"a C1 control in the id is refused", BYTES("talkId=%C2%85&value=5"), control, NULL, 0},
    {"a byte of Latin-1 is refused", BYTES("talkId=caf%E9&value=5"), no_utf8, NULL, 0},
    {"an overlong form is refused", BYTES("talkId=%C0%AF&value=5"), no_utf8, NULL, 0},
    {"an encoded surrogate is refused", BYTES("talkId=%ED%A0%80&value=5"), no_utf8, NULL, 0},
    {"a character cut short is refused", BYTES("talkId=%E2%82&value=5"), no_utf8, NULL, 0},

    {"a second talkId is refused", BYTES("talkId=t&value=5&talkId=t"), talk_twice, NULL, 0},
    {"a second talkId without a value is refused", BYTES("talkId=t&talkId&value=5"), talk_twice,
     NULL, 0},
    {"a second talkId under an escaped name is refused", BYTES("talkId=t&%74alkId=t&value=5"),
     talk_twice, NULL, 0},
    {"a second value is refused", BYTES("talkId=t&value=5&value=5"), value_twice, NULL, 0},
    {"a second value that is empty is refused", BYTES("talkId=t&value=5&value="), value_twice, NULL,
     0},

    {"a percent sign at the end is refused", BYTES("value=5&talkId=t%"), bad_escape, NULL, 0},
    {"half an escape at the end is refused", BYTES("value=5&talkId=t%4"), bad_escape, NULL, 0},
    {"an escape without digits is refused", BYTES("talkId=%zz&value=5"), bad_escape, NULL, 0},
    {"an escape whose second digit is none is refused", BYTES("talkId=%4z&value=5"), bad_escape,
     NULL, 0},
    {"an escape with a sign is refused", BYTES("talkId=%+4&value=5"), bad_escape, NULL, 0},
    {"an escape with an x is refused", BYTES("talkId=%0x41&value=5"), bad_escape, NULL, 0},
    {"the character before 0 is no digit", BYTES("talkId=%4/&value=5"), bad_escape, NULL, 0},
    {"the character after 9 is no digit", BYTES("talkId=%4:&value=5"), bad_escape, NULL, 0},
    {"the character before A is no digit", BYTES("talkId=%4@&value=5"), bad_escape, NULL, 0},
    {"the character after F is no digit", BYTES("talkId=%4G&value=5"), bad_escape, NULL, 0},
    {"the character before a is no digit", BYTES("talkId=%4`&value=5"), bad_escape, NULL, 0},
    {"the character after f is no digit", BYTES("talkId=%4g&value=5"), bad_escape, NULL, 0},
    {"a bad escape in the value is refused", BYTES("talkId=t&value=5%"), bad_escape, NULL, 0},
    {"a bad escape in an ignored field is refused", BYTES("talkId=t&value=5&x=%4"), bad_escape,
     NULL, 0},
    {"a bad escape in an ignored name is refused", BYTES("talkId=t&value=5&%zz=1"), bad_escape,
     NULL, 0},
    {"an escape does not reach over a separator", BYTES("x=%4&4=1&talkId=t&value=5"), bad_escape,
     NULL, 0},
};

/* What the form of a page may say, and no other. */
static row_t withdrawals[] = {
    {"a page's form withdraws", BYTES("talkId=t&value=withdraw"), NULL, "t", RATINGS_VALUE_NONE},
    {"a page's form rates", BYTES("talkId=t&value=5"), NULL, "t", 5},
    {"a longer word is no value", BYTES("talkId=t&value=withdrawn"), bad_value, NULL, 0},
    {"a shorter word is no value", BYTES("talkId=t&value=withdra"), bad_value, NULL, 0},
    {"a word with a NUL is no value", BYTES("talkId=t&value=withdraw%00"), bad_value, NULL, 0},
    {"capitals are no value", BYTES("talkId=t&value=Withdraw"), bad_value, NULL, 0},
    {"none is no value", BYTES("talkId=t&value=0"), bad_value, NULL, 0},
    {"an id is needed", BYTES("value=withdraw"), no_talk, NULL, 0},
    {"one value is enough", BYTES("talkId=t&value=withdraw&value=5"), value_twice, NULL, 0},
};

typedef const char *read_fn(const char *body, size_t len, ratings_rating_t *out);

static void check(read_fn *read, const char *body, size_t len, const char *expected,
                  const char *talk_id, int value)
{
    char *copy = unit_copy(body, len);
    ratings_rating_t rating;
    const char *problem = read(copy, len, &rating);

    free(copy);
    assert_problem(problem, expected);
    if (problem)
        return;
    assert_string_equal(rating.talk_id, talk_id);
    assert_int_equal(rating.value, value);
}

static void reads_strictly(void **state)
{
    const row_t *row = *state;

    check(ratings_rating_from_form, row->body, row->len, row->problem, row->talk_id, row->value);
}

static void reads_withdrawals(void **state)
{
    const row_t *row = *state;

    check(ratings_rating_from_page_form, row->body, row->len, row->problem, row->talk_id,
          row->value);
    check(ratings_rating_from_form, row->body, row->len,
          row->value == RATINGS_VALUE_NONE && !row->problem ? bad_value : row->problem,
          row->talk_id, row->value);
}

static void check_id_of(const char *unit, size_t times, char decoded, const char *expected)
{
    char body[2048] = "talkId=", id[300] = "";

    for (size_t i = 0; i < times; i++)
        unit_append(body, sizeof body, unit);
    unit_append(body, sizeof body, "&value=5");
    memset(id, decoded, times);
    check(ratings_rating_from_form, body, strlen(body), expected, id, 5);
}

static void bounds_the_decoded_id(void **state)
{
    (void)state;
    check_id_of("x", 1, 'x', NULL);
    check_id_of("x", 255, 'x', NULL);
    check_id_of("x", 256, 'x', too_long);
    check_id_of("x", 257, 'x', too_long);
    check_id_of("%78", 255, 'x', NULL);
    check_id_of("%78", 256, 'x', too_long);
}

typedef struct {
    const char *name;
    const char *query;
    const char *problem;
    const char *talk_id;
} query_t;

static query_t queries[] = {
    {"a query names a talk", "talkId=t", NULL, "t"},
    {"a query is decoded", "x=1&talkId=caf%C3%A9+a", NULL, "caf\xC3\xA9 a"},
    {"a query needs no value", "talkId=t&value=9&value=9", NULL, "t"},
    {"no query names no talk", NULL, no_talk, NULL},
    {"an empty query names no talk", "", no_talk, NULL},
    {"a query without talkId names no talk", "talk=t", no_talk, NULL},
    {"a query with an empty talkId is refused", "talkId=", empty, NULL},
    {"a query with two talkIds is refused", "talkId=a&talkId=a", talk_twice, NULL},
    {"a query with a control character is refused", "talkId=a%0A", control, NULL},
    {"a query with a bad escape is refused", "talkId=t&x=%4", bad_escape, NULL},
    {"a query that is a percent sign is refused", "%", bad_escape, NULL},
};

static void reads_query(void **state)
{
    const query_t *row = *state;
    char talk_id[RATINGS_TALK_ID_MAX + 1] = "";
    const char *problem = ratings_talk_id_from_query(row->query, talk_id);

    assert_problem(problem, row->problem);
    if (!problem)
        assert_string_equal(talk_id, row->talk_id);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, reads_strictly, ROWS(rows));
    unit_add_rows(&suite, reads_withdrawals, ROWS(withdrawals));
    unit_add(&suite, "an id has 1 to 255 bytes once decoded", bounds_the_decoded_id, NULL);
    unit_add_rows(&suite, reads_query, ROWS(queries));
    return unit_run("rating_form", &suite);
}
