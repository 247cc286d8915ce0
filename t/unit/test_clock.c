/* Waits while somebody sets the wall clock. */
#include "../../src/core/clock.h"
#include "unit.h"

#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* The wall clock as the program reads it, before or after that of the kernel, by which the kernel
 * then waits: as if it were set at once after it was read. It stands before libc's. */
static atomic_long shift_s;

int clock_gettime(clockid_t clock, struct timespec *now)
{
    int result = (int)syscall(SYS_clock_gettime, clock, now);
    if (clock == CLOCK_REALTIME)
        now->tv_sec += atomic_load(&shift_s);
    return result;
}

#define TEST_SECONDS 120 /* no test may hang: SIGALRM ends the program then */
#define LIMIT_MS 150
#define PLENTY_MS 10000

static int64_t now_ms(void)
{
    return ratings_monotonic() / 1000;
}

static void pause_ms(long ms)
{
    struct timespec time = {ms / 1000, ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

typedef struct {
    const char *name;
    bool (*wait)(int64_t limit); /* for what `come` brings */
    void (*come)(void);
} wait_t;

static pthread_mutex_t lock;
static pthread_cond_t changed;
static bool has_changed;
static sem_t semaphore;
static pthread_t sleeper;
static sem_t wake_up;

static void *sleep_until_woken(void *unused)
{
    (void)unused;
    (void)sem_wait(&wake_up);
    return NULL;
}

static bool wait_for_lock(int64_t limit)
{
    bool got = ratings_lock_within(&lock, limit);
    if (got)
        pthread_mutex_unlock(&lock);
    return got;
}

static bool wait_for_change(int64_t limit)
{
    int64_t deadline = ratings_monotonic() + limit;
    bool in_time = true;
    pthread_mutex_lock(&lock);
    while (!has_changed && in_time)
        in_time = ratings_wait_until(&changed, &lock, deadline);
    pthread_mutex_unlock(&lock);
    return has_changed;
}

static bool wait_for_post(int64_t limit)
{
    return ratings_sem_wait_within(&semaphore, limit);
}

static bool wait_for_end(int64_t limit)
{
    return ratings_join_within(sleeper, limit);
}

static void unlock(void)
{
    pthread_mutex_unlock(&lock);
}

static void change(void)
{
    pthread_mutex_lock(&lock);
    has_changed = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void post(void)
{
    sem_post(&semaphore);
}

static void end(void)
{
    sem_post(&wake_up);
}

static wait_t waits[] = {
    {"a lock", wait_for_lock, unlock},
    {"a condition", wait_for_change, change},
    {"a semaphore", wait_for_post, post},
    {"a thread", wait_for_end, end},
};

typedef struct {
    const wait_t *of;
    int64_t limit, took_ms;
    bool came;
} waiter_t;

static void *run_waiter(void *data)
{
    waiter_t *waiter = data;
    int64_t begun = now_ms();
    waiter->came = waiter->of->wait(waiter->limit);
    waiter->took_ms = now_ms() - begun;
    return NULL;
}

/* In a thread, as the lock is held by this one. */
static waiter_t wait_of(const wait_t *of, int64_t limit_ms, bool comes)
{
    waiter_t waiter = {.of = of, .limit = limit_ms * 1000};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, run_waiter, &waiter), 0);
    if (comes) {
        pause_ms(LIMIT_MS);
        of->come();
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    return waiter;
}

static void prepare(const wait_t *of, long shift)
{
    ratings_lock_init(&lock, &changed);
    has_changed = false;
    sem_init(&semaphore, 0, 0);
    sem_init(&wake_up, 0, 0);
    if (of->wait == wait_for_end)
        assert_int_equal(pthread_create(&sleeper, NULL, sleep_until_woken, NULL), 0);
    if (of->wait == wait_for_lock)
        pthread_mutex_lock(&lock);
    atomic_store(&shift_s, shift);
}

static void clean_up(void)
{
    atomic_store(&shift_s, 0);
    ratings_lock_destroy(&lock, &changed);
    sem_destroy(&semaphore);
    sem_destroy(&wake_up);
}

/* Nothing comes at first: the wait ends at its limit, neither at once nor an hour later. */
static void check(const wait_t *of, long shift)
{
    prepare(of, shift);
    waiter_t late = wait_of(of, LIMIT_MS, false);
    assert_false(late.came);
    assert_in_range(late.took_ms, LIMIT_MS - 1, PLENTY_MS);
    /* how long that took says nothing: on a busy machine the thread begins late */
    waiter_t in_time = wait_of(of, PLENTY_MS, true);
    assert_true(in_time.came);
    assert_in_range(in_time.took_ms, 0, PLENTY_MS);
    clean_up();
}

static void is_not_moved_by_the_wall_clock(void **state)
{
    const wait_t *of = *state;
    check(of, 0);
    check(of, 3600);  /* set back */
    check(of, -3600); /* set forward */
}

int main(void)
{
    struct CMUnitTest tests[sizeof waits / sizeof *waits];
    (void)alarm(TEST_SECONDS);
    for (size_t i = 0; i < sizeof waits / sizeof *waits; i++)
        tests[i] = (struct CMUnitTest){waits[i].name, is_not_moved_by_the_wall_clock, NULL, NULL,
                                       &waits[i]};
    return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
