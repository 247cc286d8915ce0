#include "ctl_check.h"

#include <stdio.h>

/* One table for each service, with the name of its server where there are several. */
static void show_heading(const ctl_check_t *check, int row)
{
    const ctl_finding_t *finding = &check->findings[row];
    bool is_first = row == 0 || check->findings[row - 1].service != finding->service;
    if (is_first && check->services > 1)
        (void)printf("%sserver %s\n", row > 0 ? "\n" : "", finding->server);
}

static void show_finding(const ctl_finding_t *finding)
{
    char ms[32] = "";
    if (finding->ms >= 0)
        (void)snprintf(ms, sizeof ms, "%.1f ms", finding->ms);
    (void)printf("%-6s  %-18s  %-4s %10s  %s\n", finding->part, finding->subject,
                 finding->verdict == CTL_VERDICT_FAIL ? "FAIL" : ctl_verdict_name(finding->verdict),
                 ms, finding->text);
}

void ctl_check_text(const ctl_check_t *check)
{
    int fails = check->verdicts[CTL_VERDICT_FAIL], warns = check->verdicts[CTL_VERDICT_WARN];
    for (int i = 0; i < check->count; i++) {
        show_heading(check, i);
        show_finding(&check->findings[i]);
    }
    if (fails)
        (void)printf("\nNOT READY: %d of %d fail\n", fails, check->count);
    else if (warns)
        (void)printf("\nready, with %d warning%s\n", warns, warns > 1 ? "s" : "");
    else
        (void)printf("\nready\n");
}
