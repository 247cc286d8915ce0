/* httpd, run to check its configuration and what that names. One thread. */
#ifndef RATINGS_CTL_HTTPD_H
#define RATINGS_CTL_HTTPD_H

#include "audit_failure.h"

/* Who reads httpd's standard output: each line, without its end. False, and the reason, ends it. */
typedef struct ctl_httpd_reader_t ctl_httpd_reader_t;
struct ctl_httpd_reader_t {
    bool (*take)(ctl_httpd_reader_t *reader, const char *line, audit_failure_t *why);
};

typedef struct {
    const char *program; /* NULL: the first of apache2ctl, apachectl, apache2 and httpd there is */
    const char *config;  /* NULL: the one that httpd has by itself */
    int timeout_s;       /* that each backend has; for all, httpd has some more */
} ctl_httpd_t;

/* Runs httpd -t with the define by which the module checks its backends (src/check/check_run.h),
 * without HOME, which a service does not have. False, and the reason: there is none, it does not
 * take the configuration (its own words), or nothing came from it for longer than it may take. By
 * then it has ended, and so have all processes that it has made. */
bool ctl_httpd_check(const ctl_httpd_t *httpd, ctl_httpd_reader_t *reader, audit_failure_t *why);

#endif
