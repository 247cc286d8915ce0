/* A question before something that cannot be undone. One thread. */
#ifndef RATINGS_CTL_ASK_H
#define RATINGS_CTL_ASK_H

#include "ctl_options.h"

/* Whether whoever sits at the terminal answers yes, or --yes says so: a job that is to answer says
 * it. False, and the reason: no, or there is no terminal. `question` is without its "[y/N]". */
bool ctl_ask(const ctl_options_t *options, const char *question, audit_failure_t *why);

#endif
