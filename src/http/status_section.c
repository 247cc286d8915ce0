#include "status_section.h"

#include "../config/config.h"
#include "../service/service.h"
#include "../service/status_lines.h"

#include <http_main.h>
#include <http_protocol.h>
#include <mod_status.h>

#include <stdbool.h>

/* Where there are several services, each has the name of its server. */
static void write_section(request_rec *r, const server_rec *server,
                          const ratings_service_t *service, bool is_short)
{
    ratings_status_line_t lines[RATINGS_STATUS_LINES_MAX];
    int count = ratings_status_lines(service, r->pool, lines);
    const char *name = server->server_hostname ? server->server_hostname : "";
    if (is_short)
        (void)ap_rprintf(r, "ModRatingsServer: %s\n", name);
    else
        (void)ap_rprintf(r, "<hr />\n<h2>mod_ratings: %s</h2>\n<dl>\n",
                         ap_escape_html(r->pool, name));
    for (int i = 0; i < count; i++)
        (void)ap_rprintf(r, is_short ? "%s: %s\n" : "<dt>%s: %s</dt>\n",
                         is_short ? lines[i].key : lines[i].title, lines[i].value);
    if (!is_short)
        (void)ap_rputs("</dl>\n", r);
}

/* The state is that of the host, whichever server the page belongs to. */
int ratings_status_section(request_rec *r, int flags)
{
    int result = DECLINED;
    for (const server_rec *server = ap_server_conf; server; server = server->next) {
        const ratings_service_t *service = ratings_server_of(server)->service;
        if (!service || service->server != server)
            continue;
        write_section(r, server, service, (flags & AP_STATUS_SHORT) != 0);
        result = OK;
    }
    return result;
}
