#include "ctl_page.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char place[] = "{id}";

char *ctl_page_escape(const char *id)
{
    char *text = malloc(3 * strlen(id) + 1), *to = text;
    if (!text)
        return NULL;
    for (; *id; id++) {
        unsigned char c = (unsigned char)*id;
        if (c < 0x80 && (isalnum(c) || strchr("-_.!~*'()", c)))
            *to++ = *id;
        else
            to += sprintf(to, "%%%02X", c);
    }
    *to = '\0';
    return text;
}

char *ctl_page_of(const char *page, const char *id)
{
    char *escaped = ctl_page_escape(id), *url = NULL;
    size_t len;
    FILE *out = escaped ? open_memstream(&url, &len) : NULL;
    for (const char *at; out && (at = strstr(page, place)); page = at + sizeof place - 1)
        (void)fprintf(out, "%.*s%s", (int)(at - page), page, escaped);
    free(escaped);
    if (!out)
        return NULL;
    (void)fputs(page, out);
    if (fclose(out) == 0)
        return url;
    free(url);
    return NULL;
}
