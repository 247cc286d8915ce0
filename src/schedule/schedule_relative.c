#include "schedule_relative.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    int64_t seconds;
} units[] = {
    {"s", 1},    {"sec", 1},     {"second", 1}, {"m", 60},      {"min", 60},      {"minute", 60},
    {"h", 3600}, {"hour", 3600}, {"d", 86400},  {"day", 86400}, {"week", 604800},
};

/* The word at the head of `*at`, up to a blank or between letters and digits; the text behind it
 * and its blanks is next. */
static size_t next_word(const char **at, const char **word)
{
    const char *letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    *word = *at;
    size_t len = strspn(*at, letters);
    *at += len;
    *at += strspn(*at, " ");
    return len;
}

static bool is_word(const char *word, size_t len, const char *expected)
{
    return len == strlen(expected) && strncasecmp(word, expected, len) == 0;
}

static bool read_count(const char **at, int64_t *count)
{
    size_t digits = strspn(*at, "0123456789");
    if (digits == 0 || digits > 8)
        return false;
    *count = 0;
    for (size_t i = 0; i < digits; i++)
        *count = 10 * *count + ((*at)[i] - '0');
    *at += digits;
    *at += strspn(*at, " ");
    return true;
}

static bool read_unit(const char **at, int64_t *seconds)
{
    const char *word;
    size_t len = next_word(at, &word);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        size_t name = strlen(units[i].name);
        *seconds = units[i].seconds;
        if (is_word(word, len, units[i].name) ||
            (len == name + 1 && (word[name] | 0x20) == 's' && is_word(word, name, units[i].name)))
            return true;
    }
    return false;
}

static bool read_distance(const char **at, int64_t *seconds)
{
    int64_t count, unit;
    const char *word;
    if (!read_count(at, &count) || !read_unit(at, &unit))
        return false;
    size_t len = next_word(at, &word);
    bool before = is_word(word, len, "before");
    if (!before && !is_word(word, len, "after"))
        return false;
    *seconds = (before ? -1 : 1) * count * unit;
    return count * unit <= SCHEDULE_RELATIVE_MAX;
}

bool schedule_relative_parse(const char *text, schedule_relative_t *out)
{
    schedule_relative_t it = {.is_given = true};
    const char *word;
    text += strspn(text, " ");
    if (*text >= '0' && *text <= '9' && !read_distance(&text, &it.seconds))
        return false;
    size_t len = next_word(&text, &word);
    it.is_of_end = is_word(word, len, "end");
    it.is_none = is_word(word, len, "none") && it.seconds == 0;
    if (*text || !(it.is_of_end || it.is_none || is_word(word, len, "start")))
        return false;
    *out = it;
    return true;
}
