/* The command check: whether the backends that a configuration of httpd names are as the service
 * needs them. The module asks them itself (src/check/check_run.h); here is what it has found. */
#ifndef RATINGS_CTL_CHECK_H
#define RATINGS_CTL_CHECK_H

#include "ctl_httpd.h"
#include "ctl_options.h"

typedef enum {
    CTL_VERDICT_OK,
    CTL_VERDICT_NOTE,
    CTL_VERDICT_WARN,
    CTL_VERDICT_FAIL,
    CTL_VERDICTS
} ctl_verdict_e;

/* Of one finding. The texts are its own, and printable. */
typedef struct {
    int service; /* from 0 on */
    char *server, *part, *subject, *text;
    ctl_verdict_e verdict;
    double ms; /* of the call that it rests on; negative: there was none */
} ctl_finding_t;

typedef struct {
    ctl_httpd_reader_t reader;
    const char *config; /* NULL: httpd's own */
    char version[64];   /* of the module; "": it has said nothing */
    bool is_done;       /* the module has said all */
    int services;
    ctl_finding_t *findings;
    int count, room;
    int verdicts[CTL_VERDICTS]; /* how many of each */
} ctl_check_t;

/* "ok" and the like, as in the module's lines (static). */
const char *ctl_verdict_name(ctl_verdict_e verdict);

/* Takes over what one of the module's lines says; others are not looked at. False: memory ran out.
 */
bool ctl_check_read(ctl_check_t *check, const char *line, audit_failure_t *why);

/* Room for another finding, zeroed; NULL: memory ran out. */
ctl_finding_t *ctl_check_add(ctl_check_t *check);

void ctl_check_text(const ctl_check_t *check);
bool ctl_check_json(const ctl_check_t *check, audit_failure_t *why);

#endif
