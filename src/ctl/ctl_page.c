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
    const char *at = strstr(page, place);
    char *escaped = ctl_page_escape(id), *url = NULL;
    if (escaped &&
        asprintf(&url, "%.*s%s%s", (int)(at - page), page, escaped, at + sizeof place - 1) < 0)
        url = NULL;
    free(escaped);
    return url;
}
