#include "pool_json.h"

#include "../core/json.h"

#include <apr_strings.h>

#include <stdlib.h>

/* A dump and a copy, as the texts are short: json_dumpb into memory of the pool would write
 * each twice, the first time to learn its length. */
const char *ratings_pool_json(apr_pool_t *pool, json_t *root)
{
    char *dumped = ratings_json_dump(root, JSON_COMPACT | JSON_PRESERVE_ORDER);
    const char *text = dumped ? apr_pstrdup(pool, dumped) : NULL;
    free(dumped);
    json_decref(root);
    return text;
}
