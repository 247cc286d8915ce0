/* A section of the page of mod_status, where that is loaded: the state of each service, in a few
 * lines. All numbers are those of metrics (../service/metrics_page.h), which has more of them. */
#ifndef RATINGS_HTTP_STATUS_SECTION_H
#define RATINGS_HTTP_STATUS_SECTION_H

#include <httpd.h>

/* mod_status's hook status_hook: writes the section into its page, as HTML or, with AP_STATUS_SHORT
 * (?auto), as lines of "Key: value". In the thread that has the request. OK, or DECLINED: there is
 * no service. */
int ratings_status_section(request_rec *r, int flags);

#endif
