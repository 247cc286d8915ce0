#include "idempotency.h"

#include <string.h>

static const char malformed[] =
    "Idempotency-Key must be a string in double quotes, or letters, digits and ._~:/+=- alone";
static const char too_long[] = "Idempotency-Key must have 1 to 255 characters";

_Static_assert(RATINGS_KEY_MAX == 255, "the sentence for the client names this limit");

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

static bool is_bare(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           (c != '\0' && strchr("._~:/+=-", c));
}

bool ratings_key_is_valid(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!is_printable(text[i]))
            return false;
    return len >= 1 && len <= RATINGS_KEY_MAX;
}

static const char *skip_key_blanks(const char *at)
{
    return at + strspn(at, " \t");
}

/* RFC 8941, 4.2.5. `at` is behind the opening quote; behind the closing one after. */
static const char *read_string(const char **at, char text[RATINGS_KEY_MAX + 1], size_t *len)
{
    const char *c = *at;

    for (; *c != '"'; c++) {
        if (*c == '\\' && (c[1] == '"' || c[1] == '\\'))
            c++;
        else if (!is_printable(*c) || *c == '\\')
            return malformed;
        if (*len == RATINGS_KEY_MAX)
            return too_long;
        text[(*len)++] = *c;
    }
    *at = c + 1;
    return NULL;
}

static const char *read_bare(const char **at, char text[RATINGS_KEY_MAX + 1], size_t *len)
{
    for (; is_bare(**at); (*at)++) {
        if (*len == RATINGS_KEY_MAX)
            return too_long;
        text[(*len)++] = **at;
    }
    return NULL;
}

const char *ratings_key_from_header(const char *field, char text[RATINGS_KEY_MAX + 1])
{
    const char *at = skip_key_blanks(field), *problem;
    size_t len = 0;

    if (*at == '"') {
        at++;
        problem = read_string(&at, text, &len);
    } else {
        problem = read_bare(&at, text, &len);
    }
    if (problem)
        return problem;
    at = skip_key_blanks(at);
    if (*at != '\0' && *at != ';')
        return malformed;
    text[len] = '\0';
    return len > 0 ? NULL : too_long;
}

int64_t ratings_log_time(int64_t before, int64_t append_time)
{
    return append_time > before ? append_time : before;
}

ratings_verdict_e ratings_key_resolve(ratings_use_t *last, const ratings_key_t *key, int value,
                                      int64_t offset, int64_t log_time)
{
    if (last->offset >= 0 && log_time < last->expires_ms)
        return last->value == value ? RATINGS_VERDICT_REPEATED : RATINGS_VERDICT_CONFLICT;
    last->offset = offset;
    last->expires_ms = log_time + key->window_ms;
    last->value = value;
    return RATINGS_VERDICT_COUNTED;
}
