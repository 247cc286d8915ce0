#include "position_header.h"

#include "page_form.h"

#include <apr_tables.h>

static const char header_name[] = "Ratings-Position";

const char *ratings_position_of_request(const request_rec *r, ratings_position_t *position)
{
    const char *header = apr_table_get(r->headers_in, header_name);
    *position = (ratings_position_t){.offset = 0};
    return !header || ratings_position_parse(header, position)
               ? NULL
               : "Ratings-Position is not what an answer to a rating carried.";
}

void ratings_reply_at_position(request_rec *r, const ratings_position_t *position)
{
    char *text = apr_palloc(r->pool, RATINGS_POSITION_TEXT_SIZE);
    if (position->offset == 0 || ratings_page_form_of(r))
        return;
    ratings_position_print(position, text);
    apr_table_setn(r->headers_out, header_name, text);
}
