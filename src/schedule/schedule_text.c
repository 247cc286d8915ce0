#include "schedule_text.h"

#include "../core/utf8.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static bool is_blank(int32_t point)
{
    return point == ' ' || (point >= '\t' && point <= '\r') || point == 0x85 || point == 0x2028 ||
           point == 0x2029;
}

static bool is_control_point(int32_t point)
{
    return point < ' ' || (point >= 0x7F && point <= 0x9F);
}

/* Copies into `to`, which has room for all of `text`; the bytes there, or what is wrong. */
static const char *copy_clean(const char *text, size_t characters, char *to, size_t *len)
{
    const char *end = text + strlen(text);
    size_t count = 0, used;
    bool blank_before = false;
    *len = 0;
    for (; text < end; text += used) {
        int32_t point = ratings_utf8_next(text, (size_t)(end - text), &used);
        if (point < 0)
            return "is not valid UTF-8";
        if (is_blank(point)) {
            blank_before = *len > 0;
            continue;
        }
        if (is_control_point(point))
            return "has a control character";
        if (blank_before)
            to[(*len)++] = ' ';
        count += 1 + blank_before;
        blank_before = false;
        memcpy(to + *len, text, used);
        *len += used;
        if (count > characters)
            return "is too long";
    }
    return NULL;
}

const char *schedule_text_clean(const char *text, size_t characters, char **out)
{
    size_t len;
    char *copy = malloc(strlen(text) + 1);
    *out = NULL;
    if (!copy)
        return "is too much for the memory there is";
    const char *problem = copy_clean(text, characters, copy, &len);
    if (problem || len == 0) {
        free(copy);
        return problem;
    }
    copy[len] = '\0';
    *out = copy;
    return NULL;
}

size_t schedule_text_code(const char *url, const char **code)
{
    static const char page[] = ".html";
    const char *host = strstr(url, "://");
    const char *path = host ? host + 3 + strcspn(host + 3, "/?#") : url;
    const char *end = path + strcspn(path, "?#");
    while (end > path && end[-1] == '/')
        end--;
    const char *begin = end;
    while (begin > path && begin[-1] != '/')
        begin--;
    size_t len = (size_t)(end - begin);
    if (len > strlen(page) && strncmp(end - strlen(page), page, strlen(page)) == 0)
        len -= strlen(page);
    *code = begin;
    return len;
}
