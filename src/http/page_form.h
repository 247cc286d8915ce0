/* The form of a talk's page, as a browser without JavaScript sends it (RatingsPage): its answer is
 * the page again (303), with the status that another client gets as `outcome` in the query. In the
 * thread that has the request. */
#ifndef RATINGS_HTTP_PAGE_FORM_H
#define RATINGS_HTTP_PAGE_FORM_H

#include "../config/config.h"

#include <httpd.h>

#include <stdbool.h>
#include <stddef.h>

/* Such a form, whose body was read before all else: whatever is answered goes to the page of the
 * talk that it names. Lives as long as the request. */
typedef struct {
    const char *body;
    size_t length;    /* of the body, bytes */
    const char *page; /* of the talk; NULL: it names none, and the answers are those of others */
} ratings_page_form_t;

/* Whether a form that the request carries is one: its client prefers HTML to JSON. */
bool ratings_page_form_is_sent(request_rec *r);

/* Notes that the request has carried it: `body` lives as long as the request. */
void ratings_page_form_take(request_rec *r, const ratings_config_t *config, const char *body,
                            size_t length);

/* The one that was noted; NULL: none. */
const ratings_page_form_t *ratings_page_form_of(const request_rec *r);

/* Answers with the page, if the status is one that the page explains. False: nothing was sent. A
 * talk that is not there has no page; httpd's own answers need none. */
bool ratings_page_form_reply(request_rec *r, int status);

#endif
