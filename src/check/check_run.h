/* The service's part of `ratingsctl check`: where httpd is run as
 *
 *     httpd -t -D RATINGS_CHECK
 *
 * it asks each backend of its configuration, by the code and with the rights that a child of httpd
 * has, and writes what it finds to standard output, each line a JSON object (check_line.h). So no
 * secret leaves httpd, and what is checked is what the service does. */
#ifndef RATINGS_CHECK_CHECK_RUN_H
#define RATINGS_CHECK_CHECK_RUN_H

#include <httpd.h>

#define RATINGS_CHECK_TIMEOUT_S 30 /* where RATINGS_CHECK_VARIABLE is not set */

/* httpd's hook test_config: does nothing without the define. Each backend is asked in a process of
 * its own, all of a service at once, so that one that blocks or crashes keeps no other from being
 * asked; a process that has not ended in time is killed, which is a finding as well. */
void ratings_check_run(apr_pool_t *pconf, server_rec *main);

#endif
