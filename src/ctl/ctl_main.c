/* ratings-audit: whether the store is what the log says, found out without the service's own code
 * for that (docs/audit.md). */
#include "audit_report.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { EXIT_AGREE, EXIT_DIFFER, EXIT_UNKNOWN };

static bool run_audit(audit_t *audit, audit_failure_t *why)
{
    if (!audit_round(audit, why))
        return false;
    if (audit->options->repair && !audit_agrees(audit) &&
        !(audit_repair(audit, why) && audit_round(audit, why)))
        return false;
    return audit_finish(audit, why) &&
           (audit->options->json ? audit_report_json(audit, why) : audit_report_text(audit, why));
}

static int audit_once(const audit_options_t *options, audit_failure_t *why)
{
    audit_t it;
    bool good = audit_open(&it, options, why) && run_audit(&it, why);
    int code = !good ? EXIT_UNKNOWN : audit_agrees(&it) ? EXIT_AGREE : EXIT_DIFFER;
    audit_free(&it);
    return code;
}

/* Whatever the store holds is given up, so it must at least be the store of this topic. */
static bool rebuild_store(audit_store_t *store, const char *topic, audit_failure_t *why)
{
    audit_state_t state;
    bool deleted;
    bool good = (audit_state_init(&state, 1) || audit_no_memory(why)) &&
                audit_store_read(store, &state, NULL, 0, why);
    if (good && state.claim[0])
        good = audit_fail(why, "the store is being rebuilt by the service already");
    if (good && state.topic[0] && strcmp(state.topic, topic) != 0)
        good = audit_fail(why, "the store holds the ratings of topic '%s', not of '%s'",
                          state.topic, topic);
    audit_state_free(&state);
    if (!good || !audit_store_forget(store, &deleted, why))
        return false;
    (void)printf("%s: the service, if it runs, rebuilds the store from the log within half a "
                 "second; its error log says so\n",
                 deleted ? "ratings:log is deleted" : "there was no ratings:log");
    return true;
}

static int request_rebuild(const audit_options_t *options, audit_failure_t *why)
{
    audit_store_t *store = audit_store_new(options->store, options->timeout_ms);
    bool good = store ? rebuild_store(store, options->stream.topic, why) : audit_no_memory(why);
    audit_store_free(store);
    return good ? EXIT_AGREE : EXIT_UNKNOWN;
}

static int run_options(int argc, char **argv, audit_failure_t *why)
{
    audit_options_t options;
    int code = EXIT_UNKNOWN;
    switch (audit_options_read(argc, argv, &options, why)) {
    case AUDIT_OPTIONS_GOOD:
        code = options.rebuild ? request_rebuild(&options, why) : audit_once(&options, why);
        break;
    case AUDIT_OPTIONS_SHOWN:
        code = EXIT_AGREE;
        break;
    case AUDIT_OPTIONS_BAD:
        break;
    }
    audit_options_free(&options);
    return code;
}

/* A connection or a pipe that is closed is an error with a reason, and no end by a signal. */
int main(int argc, char **argv)
{
    audit_failure_t why = {""};
    (void)signal(SIGPIPE, SIG_IGN);
    int code = run_options(argc, argv, &why);
    if ((fflush(stdout) != 0 || ferror(stdout)) && !why.text[0]) {
        code = EXIT_UNKNOWN;
        audit_fail(&why, "the report could not be written");
    }
    if (why.text[0])
        (void)fprintf(stderr, "ratings-audit: %s\n", why.text);
    return code;
}
