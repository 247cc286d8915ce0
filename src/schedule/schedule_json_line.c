#include "schedule_json_line.h"

#include <stdbool.h>
#include <string.h>

static const char *skip_json_blanks(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/* Behind the string that begins there. */
static const char *skip_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        at += *at == '\\' && at[1];
    return *at ? at + 1 : at;
}

/* Behind the value that begins there. */
static const char *skip_value(const char *at)
{
    int depth = 0;
    do {
        if (*at == '"') {
            at = skip_string(at);
            continue;
        }
        if (*at == '{' || *at == '[')
            depth++;
        else if (*at == '}' || *at == ']')
            depth--;
        at++;
    } while (*at && (depth > 0 || !strchr(",]} \t\r\n", *at)));
    return at;
}

static bool is_named(const char *at, const char *name)
{
    size_t len = strlen(name);
    return strncmp(at + 1, name, len) == 0 && at[1 + len] == '"';
}

/* The value that one step leads to; NULL: there is none. */
static const char *step_into(const char *at, const schedule_step_t *step)
{
    bool is_object = *at == '{';
    if (!is_object && *at != '[')
        return NULL;
    at = skip_json_blanks(at + 1);
    for (size_t i = 0; *at && *at != '}' && *at != ']'; i++) {
        bool is_it = step->name ? is_object && is_named(at, step->name) : i == step->number;
        if (is_object) {
            at = skip_json_blanks(skip_string(at));
            at = skip_json_blanks(at + (*at == ':'));
        }
        if (is_it)
            return at;
        at = skip_json_blanks(skip_value(at));
        at = skip_json_blanks(at + (*at == ','));
    }
    return NULL;
}

const char *schedule_json_find(const char *text, const schedule_step_t *steps, size_t count)
{
    const char *at = skip_json_blanks(text), *next;
    for (size_t i = 0; i < count && (next = step_into(at, &steps[i])); i++)
        at = next;
    return at;
}
