#include "check_line.h"

#include "../core/json.h"
#include "build_version.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Takes over `object`; NULL: memory ran out, and the line is missing. Longer than a pipe takes in
 * one piece it cannot be: a finding's words are bounded. */
static void write_line(json_t *object)
{
    char *text = ratings_json_dump(object, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0;
    json_decref(object);
    if (text && length < PIPE_BUF) {
        text[length] = '\n'; /* in the place of the terminator */
        if (write(STDOUT_FILENO, text, length + 1) < 0)
            _exit(1); /* nobody reads any more */
    }
    free(text);
}

void ratings_check_write_first(int services)
{
    write_line(
        json_pack("{s:i, s:s, s:i}", "check", 1, "version", RATINGS_VERSION, "services", services));
}

static const char *const verdicts[] = {
    [RATINGS_FINDING_GOOD] = "ok",
    [RATINGS_FINDING_NOTE] = "note",
    [RATINGS_FINDING_WARNING] = "warn",
    [RATINGS_FINDING_FAULT] = "fail",
};

/* Texts of others are no UTF-8 at times, which JSON does not take. */
static json_t *text_of_others(const char *text)
{
    char copy[RATINGS_FINDING_TEXT];
    json_t *string = json_string(text);
    if (string)
        return string;
    strncpy(copy, text, sizeof copy - 1);
    copy[sizeof copy - 1] = '\0';
    for (char *c = copy; *c; c++)
        if ((unsigned char)*c > 0x7E)
            *c = '?';
    return json_string(copy);
}

void ratings_check_write_finding(int service, const char *server, const char *part,
                                 const ratings_finding_t *finding)
{
    write_line(json_pack("{s:i, s:s, s:s, s:s, s:s, s:o, s:o}", "service", service, "server",
                         server, "part", part, "verdict", verdicts[finding->verdict], "subject",
                         finding->subject, "ms",
                         finding->us < 0 ? json_null() : json_real((double)finding->us / 1000),
                         "text", text_of_others(finding->text)));
}

void ratings_check_write_last(void)
{
    write_line(json_pack("{s:b}", "done", 1));
}
