/* GET metrics */
#include "handlers.h"

#include "../service/metrics_page.h"
#include "accept.h"
#include "reply.h"

#include <http_protocol.h>

int ratings_get_metrics(request_rec *r, const ratings_server_t *server)
{
    const char *types[RATINGS_EXPOSITIONS];
    size_t length = 0;
    for (int i = 0; i < RATINGS_EXPOSITIONS; i++)
        types[i] = ratings_exposition_type((ratings_exposition_format_e)i);
    int format = ratings_accepts_best(r, types, RATINGS_EXPOSITIONS);
    apr_table_mergen(r->headers_out, "Vary", "Accept");
    if (format < 0)
        return ratings_reply_problem(r, HTTP_NOT_ACCEPTABLE,
                                     "Metrics are text/plain, application/openmetrics-text or "
                                     "application/json.");
    const char *page = ratings_metrics_page(server->service, (ratings_exposition_format_e)format,
                                            r->pool, &length);
    return ratings_reply_text(
        r, ratings_exposition_content_type((ratings_exposition_format_e)format), page, length);
}
