#include "../../src/core/json.h"
#include "../../src/core/rating.h"
#include "unit.h"

static const char nul[] = "the JSON has a NUL character";
static const char malformed[] = "the JSON is malformed";
static const char twice[] = "the JSON has an object with the same member twice";
static const char bad_value[] = "value must be an integer from 1 to 5";
static const char no_string[] = "talkId must be a string";
static const char control[] = "talkId must not contain control characters";
static const char no_utf8[] = "the JSON is not valid UTF-8";
static const char no_number[] = "the JSON has a number that is out of range";

typedef struct {
    const char *name;
    const char *body;
    size_t len;
    const char *problem; /* NULL: accepted as ... */
    const char *talk_id;
    int value;
} row_t;

#define VALUE(text) BYTES("{\"talkId\":\"t\",\"value\":" text "}")
#define TALK(text) BYTES("{\"talkId\":" text ",\"value\":5}")

static row_t rows[] = {
    {"the lowest value is read", VALUE("1"), NULL, "t", 1},
    {"the highest value is read", VALUE("5"), NULL, "t", 5},
    {"members may come in any order", BYTES("{\"value\":3,\"talkId\":\"t\"}"), NULL, "t", 3},
    {"blanks between tokens are skipped", BYTES(" {\n\"talkId\" :\t\"t\" , \"value\": 2 }\r\n"),
     NULL, "t", 2},
    {"other members are ignored", BYTES("{\"talkId\":\"t\",\"x\":{\"value\":9},\"value\":4}"), NULL,
     "t", 4},
    {"names differ by case", BYTES("{\"talkId\":\"t\",\"Value\":1,\"value\":4}"), NULL, "t", 4},
    {"escapes in the id are decoded", TALK("\"caf\\u00e9 \\\"x\\\" \\/\""), NULL,
     "caf\xC3\xA9 \"x\" /", 5},
    {"a pair of surrogate escapes is one character", TALK("\"\\ud83d\\ude00\""), NULL,
     "\xF0\x9F\x98\x80", 5},
    {"escapes in a name are decoded", BYTES("{\"\\u0074alkId\":\"t\",\"value\":1}"), NULL, "t", 1},

    {"value 0 is refused", VALUE("0"), bad_value, NULL, 0},
    {"value 6 is refused", VALUE("6"), bad_value, NULL, 0},
    {"value -1 is refused", VALUE("-1"), bad_value, NULL, 0},
    {"value 5.0 is refused", VALUE("5.0"), bad_value, NULL, 0},
    {"value 4.5 is refused", VALUE("4.5"), bad_value, NULL, 0},
    {"value 1e0 is refused", VALUE("1e0"), bad_value, NULL, 0},
    {"value \"5\" is refused", VALUE("\"5\""), bad_value, NULL, 0},
    {"value true is refused", VALUE("true"), bad_value, NULL, 0},
    {"value null is refused", VALUE("null"), bad_value, NULL, 0},
    {"value [5] is refused", VALUE("[5]"), bad_value, NULL, 0},
    {"value {} is refused", VALUE("{}"), bad_value, NULL, 0},
    {"a value that wraps to 5 in 32 bits is refused", VALUE("4294967301"), bad_value, NULL, 0},
    {"a value beyond 64 bits is refused", VALUE("99999999999999999999"), no_number, NULL, 0},
    {"a value beyond a double is refused", VALUE("1e999"), no_number, NULL, 0},
    {"value 05 is refused", VALUE("05"), malformed, NULL, 0},
    {"value +5 is refused", VALUE("+5"), malformed, NULL, 0},
    {"value NaN is refused", VALUE("NaN"), malformed, NULL, 0},
    {"no value is refused", BYTES("{\"talkId\":\"t\"}"), "value is missing", NULL, 0},

    {"no talkId is refused", BYTES("{\"value\":5}"), "talkId is missing", NULL, 0},
    {"an empty object is refused", BYTES("{}"), "talkId is missing", NULL, 0},
    {"a talkId that is a number is refused", TALK("7"), no_string, NULL, 0},
    {"a talkId null is refused", TALK("null"), no_string, NULL, 0},
    {"a talkId that is a list is refused", TALK("[\"t\"]"), no_string, NULL, 0},
    {"an empty talkId is refused", TALK("\"\""), "talkId must not be empty", NULL, 0},
    {"a control character in the id is refused", TALK("\"a\\nb\""), control, NULL, 0},
    {"DEL in the id is refused", TALK("\"\x7F\""), control, NULL, 0},
    {"a C1 control in the id is refused", TALK("\"\\u0085\""), control, NULL, 0},
    {"an escaped NUL in the id is refused", TALK("\"a\\u0000b\""), nul, NULL, 0},
    {"a raw control character is refused", TALK("\"a\nb\""), malformed, NULL, 0},
    {"a raw NUL in the id is refused", TALK("\"a\0b\""), nul, NULL, 0},
    {"a lone surrogate escape is refused", TALK("\"\\ud800\""), malformed, NULL, 0},
    {"a low surrogate escape is refused", TALK("\"\\ude00\""), malformed, NULL, 0},
    {"a byte of Latin-1 is refused", TALK("\"caf\xE9\""), no_utf8, NULL, 0},
    {"an overlong form is refused", TALK("\"\xC0\xAF\""), no_utf8, NULL, 0},
    {"an encoded surrogate is refused", TALK("\"\xED\xA0\x80\""), no_utf8, NULL, 0},
    {"beyond the last code point is refused", TALK("\"\xF4\x90\x80\x80\""), no_utf8, NULL, 0},

    {"a second talkId is refused", BYTES("{\"talkId\":\"a\",\"value\":1,\"talkId\":\"a\"}"), twice,
     NULL, 0},
    {"a second value is refused", BYTES("{\"talkId\":\"a\",\"value\":1,\"value\":5}"), twice, NULL,
     0},
    {"a second member under an escaped name is refused",
     BYTES("{\"talkId\":\"a\",\"value\":1,\"valu\\u0065\":5}"), twice, NULL, 0},
    {"a duplicate in an ignored member is refused",
     BYTES("{\"talkId\":\"a\",\"value\":1,\"x\":[{\"y\":{\"z\":1,\"z\":1}}]}"), twice, NULL, 0},

    {"an empty body is refused", BYTES(""), malformed, NULL, 0},
    {"blanks alone are refused", BYTES(" \n"), malformed, NULL, 0},
    {"a list is refused", BYTES("[{\"talkId\":\"t\",\"value\":5}]"), "the JSON is not an object",
     NULL, 0},
    {"a string is refused", BYTES("\"t\""), malformed, NULL, 0},
    {"a number is refused", BYTES("5"), malformed, NULL, 0},
    {"null is refused", BYTES("null"), malformed, NULL, 0},
    {"text after the object is refused", BYTES("{\"talkId\":\"t\",\"value\":5}x"), malformed, NULL,
     0},
    {"a second object is refused", BYTES("{\"talkId\":\"t\",\"value\":5}{}"), malformed, NULL, 0},
    {"a NUL after the object is refused", BYTES("{\"talkId\":\"t\",\"value\":5}\0"), nul, NULL, 0},
    {"a NUL between tokens is refused", BYTES("{\"talkId\":\"t\",\0\"value\":5}"), nul, NULL, 0},
    {"a NUL after the value is refused", VALUE("5\0"), nul, NULL, 0},
    {"a NUL after a number is refused", BYTES("{\"x\":1\0,\"talkId\":\"t\",\"value\":5}"), nul,
     NULL, 0},
    {"a NUL after a keyword is refused", BYTES("{\"x\":true\0,\"talkId\":\"t\",\"value\":5}"), nul,
     NULL, 0},
    {"a NUL at the head is refused", BYTES("\0{\"talkId\":\"t\",\"value\":5}"), nul, NULL, 0},
    {"a NUL alone is refused", BYTES("\0"), nul, NULL, 0},
    {"a body cut short is refused", BYTES("{\"talkId\":\"t\",\"value\":5"), malformed, NULL, 0},
    {"a string cut short is refused", BYTES("{\"talkId\":\"t"), malformed, NULL, 0},
    {"an escape cut short is refused", BYTES("{\"talkId\":\"t\\"), malformed, NULL, 0},
    {"a comma at the end is refused", BYTES("{\"talkId\":\"t\",\"value\":5,}"), malformed, NULL, 0},
    {"single quotes are refused", BYTES("{'talkId':'t','value':5}"), malformed, NULL, 0},
    {"a comment is refused", BYTES("{/**/\"talkId\":\"t\",\"value\":5}"), malformed, NULL, 0},
    {"a byte order mark is ignored", BYTES("\xEF\xBB\xBF{\"talkId\":\"t\",\"value\":5}"), NULL, "t",
     5},
    {"two byte order marks are refused",
     BYTES("\xEF\xBB\xBF\xEF\xBB\xBF{\"talkId\":\"t\",\"value\":5}"), malformed, NULL, 0},
    {"a byte order mark after a blank is refused",
     BYTES(" \xEF\xBB\xBF{\"talkId\":\"t\",\"value\":5}"), malformed, NULL, 0},
    {"a byte order mark alone is refused", BYTES("\xEF\xBB\xBF"), malformed, NULL, 0},
    {"a byte order mark cut short is refused", BYTES("\xEF\xBB"), no_utf8, NULL, 0},
    {"a byte order mark of UTF-16 is refused", BYTES("\xFF\xFE{\"talkId\":\"t\",\"value\":5}"),
     no_utf8, NULL, 0},
    {"a form is refused", BYTES("talkId=t&value=5"), malformed, NULL, 0},
};

static void check(const char *body, size_t len, const char *expected, const char *talk_id,
                  int value)
{
    char *copy = unit_copy(body, len);
    ratings_rating_t rating;
    const char *problem = ratings_rating_from_json(copy, len, &rating);

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

    check(row->body, row->len, row->problem, row->talk_id, row->value);
}

/* {"talkId":"xxx...","value":5} */
static void check_id_of_length(size_t len, const char *expected)
{
    char body[512], id[300];
    int body_len;

    memset(id, 'x', len);
    id[len] = '\0';
    body_len = snprintf(body, sizeof body, "{\"talkId\":\"%s\",\"value\":5}", id);
    check(body, (size_t)body_len, expected, id, 5);
}

static void bounds_the_id(void **state)
{
    (void)state;
    check_id_of_length(1, NULL);
    check_id_of_length(255, NULL);
    check_id_of_length(256, "talkId must not be longer than 255 bytes");
}

/* {"talkId":"t","value":5,"x":[[[...]]]} with `depth` containers, the object counted. */
static void check_depth(size_t depth, const char *expected)
{
    static const char head[] = "{\"talkId\":\"t\",\"value\":5,\"x\":";
    size_t lists = depth - 1, len = sizeof head - 1 + 2 * lists + 1;
    char *body = malloc(len);

    assert_non_null(body);
    memcpy(body, head, sizeof head - 1);
    memset(body + sizeof head - 1, '[', lists);
    memset(body + sizeof head - 1 + lists, ']', lists);
    body[len - 1] = '}';
    check(body, len, expected, "t", 5);
    free(body);
}

static void bounds_the_depth(void **state)
{
    (void)state;
    check_depth(RATINGS_JSON_DEPTH_MAX, NULL);
    check_depth(RATINGS_JSON_DEPTH_MAX + 1, "the JSON is nested too deeply");
    check_depth(1000000, "the JSON is nested too deeply");
}

static void takes_brackets_in_strings_for_text(void **state)
{
    char body[512], brackets[200];
    int len;

    (void)state;
    memset(brackets, '[', sizeof brackets - 1);
    brackets[sizeof brackets - 1] = '\0';
    len = snprintf(body, sizeof body, "{\"talkId\":\"t\\\\\\\"\",\"value\":5,\"\\\"%s\":0}",
                   brackets);
    check(body, (size_t)len, NULL, "t\\\"", 5);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, reads_strictly, ROWS(rows));
    unit_add(&suite, "an id has 1 to 255 bytes", bounds_the_id, NULL);
    unit_add(&suite, "nesting has a limit", bounds_the_depth, NULL);
    unit_add(&suite, "brackets in strings do not nest", takes_brackets_in_strings_for_text, NULL);
    return unit_run("rating_json", &suite);
}
