/* The commands audit and repair. */
#include "audit_report.h"
#include "ctl_command.h"

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

ctl_exit_e ctl_audit(ctl_options_t *options, audit_failure_t *why)
{
    audit_t it;
    if (options->rebuild) {
        options->yes = true;
        return ctl_rebuild(options, why);
    }
    bool good = audit_open(&it, options, why) && run_audit(&it, why);
    ctl_exit_e code = !good               ? CTL_EXIT_FAILED
                      : audit_agrees(&it) ? CTL_EXIT_GOOD
                                          : CTL_EXIT_DIFFERS;
    audit_free(&it);
    return code;
}

ctl_exit_e ctl_repair(ctl_options_t *options, audit_failure_t *why)
{
    options->repair = true;
    return ctl_audit(options, why);
}
