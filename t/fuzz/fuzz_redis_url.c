#include "../../src/core/redis_url.h"
#include "fuzz.h"

#include <string.h>

static void must_name_the_same_place(const ratings_redis_url_t *a, const ratings_redis_url_t *b)
{
    MUST(a->hosts == b->hosts);
    for (int i = 0; i < a->hosts; i++)
        MUST(strcmp(a->host[i].name, b->host[i].name) == 0 && a->host[i].port == b->host[i].port);
    MUST(strcmp(a->socket, b->socket) == 0 && strcmp(a->master, b->master) == 0);
    MUST(a->database == b->database && a->has_tls == b->has_tls);
}

static void must_hide_the_password(const ratings_redis_url_t *parsed, const char *shown)
{
    ratings_redis_url_t again;
    MUST(!ratings_redis_url_parse(shown, &again));
    must_name_the_same_place(parsed, &again);
    MUST(strcmp(parsed->user, again.user) == 0 && parsed->has_password == again.has_password);
    MUST(strcmp(again.password, parsed->has_password ? "***" : "") == 0);
}

/* What redaction leaves of a URL that can be read is one of the same place and user, with *** as
 * password; of any other, no more than a scheme. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    ratings_redis_url_t parsed;
    char *url = malloc(size + 1), *shown;

    MUST(url);
    memcpy(url, data, size);
    url[size] = '\0';
    shown = ratings_redis_url_redact(url);
    MUST(shown);
    if (ratings_redis_url_parse(url, &parsed))
        MUST(strlen(shown) <= strlen("rediss+sentinel://***"));
    else
        must_hide_the_password(&parsed, shown);
    free(shown);
    free(url);
    return 0;
}
