/* Whether Redis is as the service needs it. */
#ifndef RATINGS_STORE_INSPECT_H
#define RATINGS_STORE_INSPECT_H

#include "../common/findings.h"
#include "store.h"

/* Reports whether the server answers and takes the login, can keep what it is given, lets the
 * service's user run each command that the service does, and what it holds of the topic. Each
 * command is tried with words that change nothing. One call after the other, each within the
 * timeout of the options. */
void ratings_store_inspect(const ratings_store_options_t *options, const char *topic,
                           ratings_findings_t *findings);

#endif
