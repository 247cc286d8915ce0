#include "../../src/core/rating.h"
#include "unit.h"

static const char empty[] = "talkId must not be empty";
static const char too_long[] = "talkId must not be longer than 255 bytes";
static const char no_utf8[] = "talkId must be valid UTF-8";
static const char control[] = "talkId must not contain control characters";

typedef struct {
    const char *name;
    const char *id;
    size_t len;
    const char *problem;
} row_t;

static row_t rows[] = {
    {"a plain id is a talk id", BYTES("testcontainers-integration-testing"), NULL},
    {"one byte is enough", BYTES("x"), NULL},
    {"a blank is no control character", BYTES(" "), NULL},
    {"punctuation is allowed", BYTES("a/b?c=d&e%\"'\\<>"), NULL},
    {"letters beyond ASCII are allowed", BYTES("caf\xC3\xA9"), NULL},
    {"a character of four bytes is allowed", BYTES("\xF0\x9F\x98\x80"), NULL},
    {"the first after C1 is allowed", BYTES("\xC2\xA0"), NULL},
    {"a noncharacter is valid UTF-8", BYTES("\xEF\xBF\xBF"), NULL},
    {"an empty id is refused", BYTES(""), empty},
    {"NUL is refused", BYTES("a\0b"), control},
    {"a line feed is refused", BYTES("a\n"), control},
    {"a tab is refused", BYTES("\t"), control},
    {"the last of C0 is refused", BYTES("\x1F"), control},
    {"DEL is refused", BYTES("\x7F"), control},
    {"the first of C1 is refused", BYTES("\xC2\x80"), control},
    {"the last of C1 is refused", BYTES("\xC2\x9F"), control},
    {"a byte of Latin-1 is refused", BYTES("caf\xE9"), no_utf8},
    {"an overlong form is refused", BYTES("\xC0\xAF"), no_utf8},
    {"a surrogate is refused", BYTES("\xED\xA0\x80"), no_utf8},
    {"a character cut short at the end is refused", BYTES("abc\xE2\x82"), no_utf8},
};

static void judges(void **state)
{
    const row_t *row = *state;
    char *id = unit_copy(row->id, row->len);
    const char *problem = ratings_talk_id_problem(id, row->len);

    free(id);
    assert_problem(problem, row->problem);
}

typedef struct {
    const char *name;
    size_t len;
    const char *problem;
} length_t;

static length_t lengths[] = {
    {"254 bytes are allowed", 254, NULL},
    {"255 bytes are allowed", 255, NULL},
    {"256 bytes are refused", 256, too_long},
    {"a megabyte is refused", 1 << 20, too_long},
};

static void judges_length(void **state)
{
    const length_t *row = *state;
    char *id = malloc(row->len);

    assert_non_null(id);
    memset(id, 'x', row->len);
    assert_problem(ratings_talk_id_problem(id, row->len), row->problem);
    free(id);
}

static void counts_bytes_not_characters(void **state)
{
    char id[257] = "";

    (void)state;
    while (strlen(id) < 256)
        unit_append(id, sizeof id, "\xC3\xA9");
    assert_problem(ratings_talk_id_problem(id, 254), NULL);
    assert_problem(ratings_talk_id_problem(id, 256), too_long);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add_rows(&suite, judges, ROWS(rows));
    unit_add_rows(&suite, judges_length, ROWS(lengths));
    unit_add(&suite, "the limit counts bytes, not characters", counts_bytes_not_characters, NULL);
    return unit_run("talk_id", &suite);
}
