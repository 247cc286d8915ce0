/* Whether voters are let in: those of the electorate that the log says votes. */
#ifndef RATINGS_SERVICE_ADMISSION_H
#define RATINGS_SERVICE_ADMISSION_H

#include "use_cases.h"

/* Whether the voters of a server whose secret is that of `electorate` may vote. Without I/O: the
 * projector of this host has told. RATINGS_OUTCOME_DONE; RATINGS_OUTCOME_OTHER_VOTERS: the log says
 * that another electorate votes; RATINGS_OUTCOME_UNAVAILABLE: which one does is not known yet, for
 * which a child that is new waits, no longer than the timeout of the store since it was started. */
ratings_outcome_e ratings_admit_voters(ratings_call_t *call,
                                       const ratings_electorate_t *electorate);

#endif
