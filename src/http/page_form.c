#include "page_form.h"

#include "../core/rating.h"
#include "../module.h"
#include "accept.h"

#include <apr_escape.h>
#include <apr_strings.h>
#include <http_protocol.h>

bool ratings_page_form_is_sent(request_rec *r)
{
    return ratings_accepts_rather(r, "text/html", "application/json");
}

/* In the request's own record, which httpd keeps for each module. */
void ratings_page_form_take(request_rec *r, const ratings_config_t *config, const char *body,
                            size_t length)
{
    ratings_page_form_t *form = apr_palloc(r->pool, sizeof *form);
    char talk_id[RATINGS_TALK_ID_MAX + 1];
    *form = (ratings_page_form_t){.body = body, .length = length};
    if (!ratings_talk_id_from_form(body, length, talk_id))
        form->page =
            apr_pstrcat(r->pool, config->page, apr_pescape_path_segment(r->pool, talk_id), NULL);
    ap_set_module_config(r->request_config, &ratings_module, form);
}

const ratings_page_form_t *ratings_page_form_of(const request_rec *r)
{
    return ap_get_module_config(r->request_config, &ratings_module);
}

/* A browser does not wait, and asks nobody for a password, on its way to a page. */
bool ratings_page_form_reply(request_rec *r, int status)
{
    const ratings_page_form_t *form = ratings_page_form_of(r);
    if (!form || !form->page || status == HTTP_NOT_FOUND)
        return false;
    apr_table_unset(r->headers_out, "Retry-After");
    apr_table_unset(r->err_headers_out, "WWW-Authenticate");
    apr_table_setn(r->headers_out, "Cache-Control", "no-store");
    apr_table_setn(r->headers_out, "Location",
                   apr_psprintf(r->pool, "%s?outcome=%d", form->page, status));
    r->status = HTTP_SEE_OTHER;
    ap_set_content_length(r, 0);
    return true;
}
