#include "redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STARS "***"

typedef struct {
    char *text;
    size_t length;
} out_t;

/* The caller made room for all of the input and three stars for each of its bytes. */
static void put(out_t *out, const char *text, size_t length)
{
    memcpy(out->text + out->length, text, length);
    out->length += length;
    out->text[out->length] = '\0';
}

/* Copies "scheme://user:" and the stars, if there is a password; returns what is left to do. */
static const char *put_user(out_t *out, const char *connection)
{
    const char *authority = strstr(connection, "://");
    /* the last one: a password that was not escaped may hold others, and a '?' as well */
    const char *at = authority ? strrchr(authority + 3, '@') : NULL;
    const char *colon = at ? memchr(authority + 3, ':', (size_t)(at - authority - 3)) : NULL;
    if (!colon)
        return connection;
    put(out, connection, (size_t)(colon + 1 - connection));
    put(out, STARS, strlen(STARS));
    return at;
}

static bool is_word_end(char c)
{
    return c == '\0' || c == '&' || isspace((unsigned char)c);
}

/* The end of a value: libpq's quotes with their backslashes, or all up to a blank or '&'. */
static const char *end_of_value(const char *value)
{
    bool quoted = *value == '\'';
    const char *c = value + quoted;
    for (; *c && (quoted ? *c != '\'' : !is_word_end(*c)); c++)
        if (*c == '\\' && c[1])
            c++;
    return quoted && *c ? c + 1 : c;
}

/* The value of "password=" if the word begins here (libpq allows blanks around '='); else NULL. */
static const char *password_value(const char *word)
{
    static const char *const names[] = {"password", "sslpassword"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *c = word + strlen(names[i]);
        if (strncasecmp(word, names[i], strlen(names[i])) != 0)
            continue;
        while (isspace((unsigned char)*c))
            c++;
        if (*c != '=')
            continue;
        for (c++; isspace((unsigned char)*c); c++)
            ;
        return c;
    }
    return NULL;
}

static void put_words(out_t *out, const char *rest)
{
    bool at_start = true;
    while (*rest) {
        const char *value = at_start ? password_value(rest) : NULL;
        if (value) {
            put(out, rest, (size_t)(value - rest));
            put(out, STARS, strlen(STARS));
            rest = end_of_value(value);
            at_start = false;
            continue;
        }
        at_start = *rest == '?' || *rest == '&' || isspace((unsigned char)*rest);
        put(out, rest++, 1);
    }
}

char *ratings_redact(const char *connection)
{
    out_t out = {malloc(strlen(connection) * 4 + 8), 0};
    if (!out.text)
        return NULL;
    out.text[0] = '\0';
    put_words(&out, put_user(&out, connection));
    return out.text;
}
