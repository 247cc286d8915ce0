/* The lines that ratingsctl reads (src/ctl/ctl_check_json.c): JSON objects. One thread. */
#ifndef RATINGS_CHECK_CHECK_LINE_H
#define RATINGS_CHECK_CHECK_LINE_H

#include "../backend/common/findings.h"

/* Each is written to standard output in one piece, as several processes write there. */

/* {"check":1,"version":"1.0.0","services":1}: the first line; `check` is the version of these
 * lines. */
void ratings_check_write_first(int services);

/* {"service":0,"server":"talks.example.org","part":"talks","verdict":"ok","subject":"table",
 * "ms":1.2,"text":"..."}: `ms` is null where no call was made. */
void ratings_check_write_finding(int service, const char *server, const char *part,
                                 const ratings_finding_t *finding);

/* {"done":true}: the last line, without which httpd has ended too early. */
void ratings_check_write_last(void);

#endif
