#include "media_type.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const char blank[] = " \t";
static const char end_of_token[] = " \t;=\"";

static const char *skip_blanks(const char *at)
{
    return at + strspn(at, blank);
}

bool ratings_media_type_is(const char *field, const char *type)
{
    size_t len = strlen(type);

    if (strncasecmp(field, type, len) != 0)
        return false;
    field = skip_blanks(field + len);
    return *field == '\0' || *field == ';';
}

/* A value is kept as far as a name of UTF-8 is long, and one character more. */
typedef struct {
    char text[sizeof "utf-8" + 1];
    size_t len;
} value_t;

static void append_char(value_t *value, char c)
{
    if (value->len < sizeof value->text - 1)
        value->text[value->len++] = c;
}

/* `at` is after the opening quote. Returns what follows the closing one, NULL if there is none. */
static const char *read_quoted(const char *at, value_t *value)
{
    for (; *at != '\0' && *at != '"'; at++) {
        if (*at == '\\' && at[1] != '\0')
            at++;
        append_char(value, *at);
    }
    return *at == '"' ? at + 1 : NULL;
}

static const char *read_token(const char *at, value_t *value)
{
    for (const char *end = at + strcspn(at, end_of_token); at < end; at++)
        append_char(value, *at);
    return at;
}

/* Blanks beside '=' are an error by the grammar; clients send them, and they mislead nobody. */
static const char *read_value(const char *at, value_t *value)
{
    at = skip_blanks(at);
    if (*at != '=')
        return at;
    at = skip_blanks(at + 1);
    return *at == '"' ? read_quoted(at + 1, value) : read_token(at, value);
}

static bool is_utf8(const value_t *value)
{
    return strcasecmp(value->text, "utf-8") == 0 || strcasecmp(value->text, "utf8") == 0;
}

/* Reads the parameter after a ';'. Returns what follows it, NULL if it is malformed. */
static const char *read_parameter(const char *at)
{
    static const char charset[] = "charset";
    size_t len = strcspn(at = skip_blanks(at), end_of_token);
    bool named = len == sizeof charset - 1 && strncasecmp(at, charset, len) == 0;
    value_t value = {.len = 0};
    const char *rest = read_value(at + len, &value);

    return rest && named && !is_utf8(&value) ? NULL : rest;
}

bool ratings_media_type_is_utf8(const char *field)
{
    const char *at = field + strcspn(field, ";");

    while (at && *at == ';') {
        at = read_parameter(at + 1);
        at = at ? skip_blanks(at) : NULL;
    }
    return at && *at == '\0';
}
