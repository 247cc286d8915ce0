#include "ctl_status.h"

#include <inttypes.h>
#include <stdio.h>

static void show_backend(const ctl_status_t *status, ctl_backend_e backend)
{
    const ctl_reached_t *it = &status->backend[backend];
    (void)printf("%-7s %-11s ", ctl_backend_name(backend), ctl_backend_software(backend));
    if (!it->asked)
        (void)printf("not asked: nobody says where it is\n");
    else if (it->reached)
        (void)printf("reached in %.1f ms\n", (double)it->us / 1000);
    else
        (void)printf("NOT REACHED\n");
}

static void show_leader(const ctl_status_t *status)
{
    ctl_leader_t leader = ctl_status_leader(status);
    if (leader.process[0])
        (void)printf("leader  process %s of host %s, its lease runs out in %" PRId64 " ms\n",
                     leader.process, leader.host, status->lease.ttl_ms);
    else
        (void)printf("leader  none\n");
}

static void show_lags(const ctl_status_t *status)
{
    (void)printf("\n%9s %12s %12s %10s %10s\n", "partition", "checkpoint", "log end", "lag",
                 "seconds");
    for (int p = 0; p < status->partitions; p++) {
        const ctl_lag_t *lag = &status->partition[p];
        (void)printf("%9d %12" PRId64 " %12" PRId64 " %10" PRId64 " %10.1f\n", p, lag->checkpoint,
                     lag->end, lag->lag, (double)lag->lag_ms / 1000);
    }
}

void ctl_status_text(const ctl_status_t *status)
{
    for (int b = 0; b < CTL_BACKENDS; b++)
        show_backend(status, (ctl_backend_e)b);
    if (status->backend[CTL_BACKEND_STORE].reached)
        show_leader(status);
    if (ctl_status_has_lags(status))
        show_lags(status);
    (void)printf("\n");
    for (int i = 0; i < status->problems; i++)
        (void)printf("problem: %s\n", status->problem[i]);
    (void)printf("%s\n", status->problems ? "NOT HEALTHY" : "healthy");
}
