/* Whether a request has come over TLS. In the thread that has it. */
#ifndef RATINGS_HTTP_REQUEST_TLS_H
#define RATINGS_HTTP_REQUEST_TLS_H

#include <http_core.h>
#include <http_protocol.h>
#include <httpd.h>

#include <stdbool.h>
#include <string.h>

/* Also where a proxy ends TLS, if ServerName says so: ServerName https://talks.example.org */
static inline bool ratings_request_has_tls(const request_rec *r)
{
    return strcmp(ap_http_scheme(r), "https") == 0;
}

#endif
