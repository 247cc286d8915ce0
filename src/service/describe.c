#include "describe.h"

#include "../core/redact.h"

#include <jansson.h>

#include <stdlib.h>
#include <string.h>

static json_t *connection(const char *text, int secrets)
{
    char *shown = secrets ? strdup(text) : ratings_redact(text);
    json_t *string = shown ? json_string(shown) : NULL;
    free(shown);
    return string;
}

char *ratings_describe(const ratings_config_t *config, int secrets)
{
    json_t *metadata = json_pack(
        "{s:{s:o,s:o,s:o,s:o,s:s,s:s}}", "metadata", "ratings_lambda",
        connection(config->stats, secrets), "ratings", connection(config->store, secrets),
        "streams", connection(config->stream, secrets), "talks", connection(config->talks, secrets),
        "version", RATINGS_VERSION, "revision", RATINGS_REVISION);
    char *text = metadata ? json_dumps(metadata, JSON_COMPACT | JSON_PRESERVE_ORDER) : NULL;
    json_decref(metadata);
    return text;
}
