#include "unit.h"

#include "../../src/shm/host_lease.h"
#include "../../src/shm/process.h"

#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOW INT64_C(1000000)
#define LEASE INT64_C(500000)

static bool acquire(ratings_host_lease_t *lease, int64_t now, ratings_host_lease_hold_t *hold)
{
    return ratings_host_lease_acquire(lease, now, LEASE, hold);
}

static void one_holds_it_until_it_has_run_out(void **state)
{
    ratings_host_lease_t lease = {0};
    ratings_host_lease_hold_t first, second;
    (void)state;
    assert_true(acquire(&lease, NOW, &first));
    assert_true(first.was_clean);
    assert_false(acquire(&lease, NOW + LEASE - 1, &second));
    assert_int_equal(second.number, 0);
    assert_true(acquire(&lease, NOW + LEASE, &second));
    assert_false(second.was_clean);
    assert_true(second.number > first.number);
    assert_false(ratings_host_lease_renew(&lease, NOW + LEASE, LEASE, &first));
    assert_int_equal(first.number, 0);
    assert_true(ratings_host_lease_renew(&lease, NOW + LEASE, LEASE, &second));
}

static void who_renews_it_keeps_it(void **state)
{
    ratings_host_lease_t lease = {0};
    ratings_host_lease_hold_t first, second;
    (void)state;
    assert_true(acquire(&lease, NOW, &first));
    assert_true(ratings_host_lease_renew(&lease, NOW + LEASE - 1, LEASE, &first));
    assert_false(acquire(&lease, NOW + LEASE, &second));
    /* late, and nobody has taken it */
    assert_true(ratings_host_lease_renew(&lease, NOW + 9 * LEASE, LEASE, &first));
}

static void who_gives_it_up_learns_whether_it_was_held(void **state)
{
    ratings_host_lease_t lease = {0};
    ratings_host_lease_hold_t first, second;
    (void)state;
    assert_true(acquire(&lease, NOW, &first));
    assert_true(ratings_host_lease_release(&lease, &first));
    assert_true(acquire(&lease, NOW, &second));
    assert_true(second.was_clean);
    assert_false(ratings_host_lease_release(&lease, &first));
    assert_true(ratings_host_lease_renew(&lease, NOW, LEASE, &second));
}

/* Killed, and even before it is reaped. */
static void who_is_dead_does_not_hold_it(void **state)
{
    ratings_host_lease_t *lease =
        mmap(NULL, sizeof *lease, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ratings_host_lease_hold_t hold;
    siginfo_t info;
    (void)state;
    assert_ptr_not_equal(lease, MAP_FAILED);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)acquire(lease, NOW, &hold);
        (void)raise(SIGKILL);
    }
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(acquire(lease, NOW + 1, &hold));
    assert_false(hold.was_clean);
    assert_int_equal(hold.number, 2);
    assert_int_equal(waitpid(child, NULL, 0), child);
    munmap(lease, sizeof *lease);
}

/* ---- many who want it ---- */

#define THREADS 4
#define HOLDS 2000

typedef struct {
    ratings_host_lease_t lease;
    _Atomic int holders;
    _Atomic unsigned char had[THREADS * HOLDS + 1];
} crowd_t;

static void *hold_often(void *data)
{
    crowd_t *crowd = data;
    ratings_host_lease_hold_t hold;
    for (int holds = 0; holds < HOLDS;) {
        if (!acquire(&crowd->lease, NOW, &hold)) {
            (void)sched_yield();
            continue;
        }
        assert_int_equal(atomic_fetch_add(&crowd->holders, 1), 0);
        assert_int_equal(atomic_fetch_add(&crowd->had[hold.number], 1), 0);
        assert_int_equal(atomic_fetch_sub(&crowd->holders, 1), 1);
        ratings_host_lease_release(&crowd->lease, &hold);
        holds++;
    }
    return NULL;
}

static void each_holder_has_a_number_of_its_own(void **state)
{
    static crowd_t crowd;
    pthread_t thread[THREADS];
    (void)state;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, hold_often, &crowd), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(thread[i], NULL);
    assert_int_equal(crowd.lease.number, THREADS * HOLDS);
}

#define ADD(test) unit_add(&suite, #test, test, NULL)

int main(void)
{
    unit_suite_t suite = {.count = 0};
    ADD(one_holds_it_until_it_has_run_out);
    ADD(who_renews_it_keeps_it);
    ADD(who_gives_it_up_learns_whether_it_was_held);
    ADD(who_is_dead_does_not_hold_it);
    ADD(each_holder_has_a_number_of_its_own);
    return unit_run("host_lease", &suite);
}
