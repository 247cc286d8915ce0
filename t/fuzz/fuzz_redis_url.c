#include "../../src/core/redis_url.h"
#include "fuzz.h"

#include <string.h>

static void must_name_the_same(const ratings_redis_url_t *parsed, const char *shown)
{
    ratings_redis_url_t again;

    MUST(!ratings_redis_url_parse(shown, &again));
    MUST(parsed->hosts == again.hosts);
    for (int i = 0; i < parsed->hosts; i++)
        MUST(strcmp(parsed->host[i].name, again.host[i].name) == 0 &&
             parsed->host[i].port == again.host[i].port);
    MUST(strcmp(parsed->socket, again.socket) == 0 && strcmp(parsed->master, again.master) == 0);
    MUST(strcmp(parsed->user, again.user) == 0 && parsed->database == again.database);
    MUST(parsed->has_password == again.has_password);
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
        MUST(strlen(shown) <= strlen("redis+sentinel://***"));
    else
        must_name_the_same(&parsed, shown);
    free(shown);
    free(url);
    return 0;
}
