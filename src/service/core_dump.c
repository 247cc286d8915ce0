#include "core_dump.h"

#include "../module.h"

#include <mpm_common.h>

#include <sys/prctl.h>

/* Set to 1 as well: a graceful restart may have brought the directive. It does not fail. */
void ratings_core_dump_settle(void)
{
    (void)prctl(PR_SET_DUMPABLE, ap_coredumpdir_configured ? 1L : 0L, 0L, 0L, 0L);
}
