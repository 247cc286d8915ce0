/* The command rebuild: asks the service, by way of the store, to rebuild it. The service does all
 * of it, when it runs: until then the store stays as it is, and GET answers from it. */
#include "audit_store.h"
#include "ctl_ask.h"
#include "ctl_command.h"

#include <stdio.h>
#include <string.h>

static bool is_wanted(const ctl_options_t *options, const audit_state_t *state,
                      audit_failure_t *why)
{
    char question[1024];
    (void)snprintf(question, sizeof question,
                   "The service empties the store (topic %s, generation %s) and reads the whole "
                   "log; until then GET\nanswers 503. Rebuild it?",
                   state->topic, state->generation);
    return ctl_ask(options, question, why);
}

/* Whatever the store holds is given up, so it must at least be the store of this topic. */
static bool check_rebuildable(const ctl_options_t *options, const audit_state_t *state,
                              audit_failure_t *why)
{
    if (state->claim[0])
        return audit_fail(why, "the store is being rebuilt by the service already");
    if (state->topic[0] && strcmp(state->topic, options->stream.topic) != 0)
        return audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'",
                          state->topic, options->stream.topic);
    return true;
}

/* A store without a generation was lost, or is not what the service writes. */
static bool request_of_store(audit_store_t *store, const audit_state_t *state, audit_failure_t *why)
{
    bool requested = false;
    if (state->generation[0] &&
        !audit_store_request_rebuild(store, state->generation, &requested, why))
        return false;
    if (state->generation[0] && !requested)
        return audit_fail(why, "the store was rebuilt meanwhile: nothing was requested");
    (void)printf("%s: the service, if it runs, begins it within a second, and its error log says "
                 "so\n",
                 requested ? "a rebuild is requested"
                           : "the store was lost, and needs no request for a rebuild");
    return true;
}

ctl_exit_e ctl_rebuild(ctl_options_t *options, audit_failure_t *why)
{
    audit_state_t state;
    audit_store_t *store =
        audit_store_new(options->store, &options->store_tls, options->stream.timeout_ms);
    bool good = (audit_state_init(&state, 1) && store) || audit_no_memory(why);
    good = good && audit_store_read(store, &state, NULL, 0, why) &&
           check_rebuildable(options, &state, why) && is_wanted(options, &state, why) &&
           request_of_store(store, &state, why);
    audit_state_free(&state);
    audit_store_free(store);
    return good ? CTL_EXIT_GOOD : CTL_EXIT_FAILED;
}
