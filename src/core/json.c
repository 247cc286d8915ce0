#include "json.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

const char ratings_memory_problem[] = "memory ran out";
static const char nul[] = "the JSON has a NUL character";

static const struct {
    enum json_error_code code;
    const char *problem;
} problems[] = {
    {json_error_duplicate_key, "the JSON has an object with the same member twice"},
    {json_error_numeric_overflow, "the JSON has a number that is out of range"},
    {json_error_invalid_utf8, "the JSON is not valid UTF-8"},
    {json_error_null_character, nul},
    {json_error_null_byte_in_key, nul},
    {json_error_out_of_memory, ratings_memory_problem},
};

static const char *problem_of(const json_error_t *error)
{
    enum json_error_code code = json_error_code(error);

    for (size_t i = 0; i < sizeof problems / sizeof *problems; i++)
        if (problems[i].code == code)
            return problems[i].problem;
    return "the JSON is malformed";
}

/* Looks at brackets outside strings alone: the parser says whether they match. */
static bool too_deep(const char *text, size_t len)
{
    size_t depth = 0;
    bool in_string = false;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (c == '"')
            in_string = !in_string;
        else if (in_string)
            i += c == '\\';
        else if ((c == '{' || c == '[') && ++depth > RATINGS_JSON_DEPTH_MAX)
            return true;
        else if ((c == '}' || c == ']') && depth > 0)
            depth--;
    }
    return false;
}

const char *ratings_json_read(const char *text, size_t len, json_t **object)
{
    /* the code, which jansson leaves as it is where memory runs out before the first byte */
    json_error_t error = {.text[JSON_ERROR_TEXT_LENGTH - 1] = json_error_out_of_memory};

    *object = NULL;
    if (len > 0 && memchr(text, '\0', len)) /* the parser overlooks one that follows a number */
        return nul;
    if (too_deep(text, len))
        return "the JSON is nested too deeply";
    *object = json_loadb(len > 0 ? text : "", len, JSON_REJECT_DUPLICATES, &error);
    if (!*object)
        return problem_of(&error);
    if (json_is_object(*object))
        return NULL;
    json_decref(*object);
    *object = NULL;
    return "the JSON is not an object";
}

json_t *ratings_json_read_record(const char *expected, size_t max, const void *key, size_t key_len,
                                 const void *value, size_t value_len)
{
    json_t *object;

    if (!key || key_len != strlen(expected) || memcmp(key, expected, key_len) != 0 || !value ||
        value_len > max)
        return NULL;
    (void)ratings_json_read(value, value_len, &object);
    return object;
}

json_t *ratings_json_number(double number)
{
    const double exact = 9007199254740992; /* up to 2^53 each whole number is a double */

    if (number >= -exact && number <= exact && number == (double)(json_int_t)number)
        return json_integer((json_int_t)number);
    return json_real(number);
}

/* ---- writing ---- */

#define TEXT_ROOM 256 /* bytes, at first */

typedef struct {
    char *bytes; /* with room for a terminator */
    size_t length, room;
    bool is_short; /* memory ran out: nothing that follows is appended */
} json_text_t;

static bool reserve_text(json_text_t *text, size_t more)
{
    size_t wanted = text->length + more + 1;
    size_t room = wanted > 2 * text->room ? wanted + TEXT_ROOM : 2 * text->room;
    char *bytes = wanted > text->room ? realloc(text->bytes, room) : text->bytes;

    if (!bytes)
        return false;
    text->room = wanted > text->room ? room : text->room;
    text->bytes = bytes;
    return true;
}

static int append_json_text(const char *bytes, size_t size, void *data)
{
    json_text_t *text = data;

    text->is_short = text->is_short || !reserve_text(text, size);
    if (text->is_short)
        return -1;
    memcpy(text->bytes + text->length, bytes, size);
    text->length += size;
    return 0;
}

char *ratings_json_dump(const json_t *root, size_t flags)
{
    json_text_t text = {0};

    if (json_dump_callback(root, append_json_text, &text, flags) != 0 || text.is_short) {
        free(text.bytes);
        return NULL;
    }
    text.bytes[text.length] = '\0';
    return text.bytes;
}

static bool reads_back(double number, size_t digits)
{
    json_t *written = json_real(number), *read = NULL;
    char *text = ratings_json_dump(written, JSON_ENCODE_ANY | JSON_REAL_PRECISION(digits));
    bool same;

    if (text)
        read = json_loads(text, JSON_DECODE_ANY, NULL);
    same =
        json_is_real(read) && !(json_real_value(read) < number || json_real_value(read) > number);
    json_decref(read);
    json_decref(written);
    free(text);
    return same;
}

/* 15 digits survive the way into a double and back, and 17 tell every double from the others.
 * Fewer than 15 need not be tried: %g drops the zeros at the end. */
static size_t digits_of(double number)
{
    size_t digits = 15;

    while (digits < 17 && !reads_back(number, digits))
        digits++;
    return digits;
}

char *ratings_json_write(json_t *root, double real)
{
    char *text = ratings_json_dump(root, JSON_COMPACT | JSON_REAL_PRECISION(digits_of(real)));

    json_decref(root);
    return text;
}
