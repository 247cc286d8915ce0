/* What Redis, a sentinel, or whatever stands in its place, answers: the store's calls over
 * connections of the fuzzer's. All of the store is at work but the connecting itself.
 *
 * The input's first byte is the call (a line of `calls`), and where the store is (one of `places`);
 * after it comes what the peer says. It says the next part after each write of the store. A part
 * ends with the byte 0x01, which stands for the answer to the ECHO that ends an exchange
 * (src/backend/store/store_link.h), or with 0x03, which stands for nothing; 0x02 begins what the
 * next connection brings. A peer that is waited for, and has nothing
 * more to say, hangs up. */
#include "../../src/backend/store/store.h"
#include "../../src/backend/store/store_dial.h"
#include "fuzz.h"

#include <apr_general.h>

#include <hiredis/hiredis.h>

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ECHO_ANSWER 1
#define NEXT_CONNECTION 2
#define END_OF_PART 3
#define CONNECTIONS_MAX 16 /* of one input; more are refused */

/* ---- the peer ---- */

typedef struct {
    const uint8_t *at, *end; /* what it will say */
    unsigned serial;         /* of the exchange (store_link.c) */
    int fd, store_fd;        /* its end, and the other */
} peer_t;

static struct {
    const uint8_t *at, *end; /* of the input: the connections to come */
    peer_t peers[CONNECTIONS_MAX];
    int count;
} input;

/* Numbers of exchanges begin with 1 then. */
apr_status_t apr_generate_random_bytes(unsigned char *bytes, apr_size_t length)
{
    memset(bytes, 0, length);
    return APR_SUCCESS;
}

/* A socket of no room left, since nobody reads the other end, takes a part of it. */
static void say(const peer_t *peer, const void *bytes, size_t length)
{
    if (length > 0)
        MUST(write(peer->fd, bytes, length) >= 0 || errno == EAGAIN || errno == EPIPE);
}

static void say_echo(const peer_t *peer)
{
    char answer[64];
    int length = snprintf(answer, sizeof answer, "$28\r\nmod_ratings:%016x\r\n", peer->serial);
    say(peer, answer, (size_t)length);
}

static void say_part(peer_t *peer)
{
    static char heard[1 << 16];
    const uint8_t *from = peer->at;
    while (read(peer->fd, heard, sizeof heard) > 0)
        ;
    peer->serial++;
    while (peer->at < peer->end && *peer->at != ECHO_ANSWER && *peer->at != END_OF_PART)
        peer->at++;
    say(peer, from, (size_t)(peer->at - from));
    if (peer->at < peer->end && *peer->at++ == ECHO_ANSWER)
        say_echo(peer);
}

static peer_t *peer_of(const redisContext *context)
{
    int i = input.count - 1; /* the latest: numbers of sockets come again */
    while (i >= 0 && input.peers[i].store_fd != context->fd)
        i--;
    MUST(i >= 0);
    return &input.peers[i];
}

static bool has_bytes(int fd)
{
    char byte;
    return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

/* Before hiredis's own, which it calls. The store wants its answers once all is written: the peer
 * speaks. One that has not said enough hangs up, so that nobody waits for it. */
int redisGetReplyFromReader(redisContext *context, void **reply)
{
    static int (*hiredis)(redisContext *, void **);
    peer_t *peer = peer_of(context);
    if (!hiredis)
        hiredis = (int (*)(redisContext *, void **))dlsym(RTLD_NEXT, "redisGetReplyFromReader");
    if (has_bytes(peer->fd))
        say_part(peer);
    int result = hiredis(context, reply);
    if (result == REDIS_OK && !*reply && !has_bytes(context->fd))
        (void)shutdown(peer->fd, SHUT_WR);
    return result;
}

/* The last connection of the input is that of all that follow. */
static peer_t next_peer(void)
{
    peer_t peer = {.at = input.at,
                   .end = memchr(input.at, NEXT_CONNECTION, (size_t)(input.end - input.at))};
    if (peer.end)
        input.at = peer.end + 1;
    else
        peer.end = input.end;
    return peer;
}

/* In the place of src/backend/store/store_dial.c. */
static apr_status_t connect_peer(int *fd, ratings_result_t *why)
{
    int pair[2];
    if (input.count == CONNECTIONS_MAX)
        return ratings_result_set(why, APR_ECONNREFUSED, "connection refused");
    MUST(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair) == 0);
    peer_t *peer = &input.peers[input.count++];
    *peer = next_peer();
    *fd = peer->store_fd = pair[0];
    peer->fd = pair[1];
    return ratings_result_ok(why);
}

static void hang_up(void)
{
    while (input.count > 0)
        close(input.peers[--input.count].fd);
}

apr_status_t store_dial(ratings_resolver_t *host, const ratings_deadline_t *deadline, int *fd,
                        ratings_result_t *why)
{
    (void)host, (void)deadline;
    return connect_peer(fd, why);
}

apr_status_t store_dial_socket(const char *path, const ratings_deadline_t *deadline, int *fd,
                               ratings_result_t *why)
{
    (void)path, (void)deadline;
    return connect_peer(fd, why);
}

/* ---- what must hold of what a call has made of it ---- */

static void check_result(apr_status_t status, const ratings_result_t *why)
{
    MUST(status == why->status);
    MUST(memchr(why->detail, '\0', sizeof why->detail));
    MUST(status == APR_SUCCESS || why->detail[0]);
    MUST(status == APR_SUCCESS || why->fault == 0 || ratings_store_fault_text(why->fault));
}

static void check_snapshot(const ratings_snapshot_t *snapshot)
{
    int64_t total;
    for (int i = 0; i < RATINGS_VALUES; i++)
        MUST(snapshot->histogram.count[i] >= 0);
    MUST(ratings_histogram_total(&snapshot->histogram, &total));
    MUST(snapshot->checkpoint >= -1);
}

static void check_use(const ratings_use_t *use)
{
    MUST(use->offset >= -1);
    MUST(use->offset < 0 || (use->value >= RATINGS_VALUE_NONE && use->value <= RATINGS_VALUE_MAX));
}

static bool is_result(ratings_cas_e result)
{
    return result == RATINGS_CAS_APPLIED || result == RATINGS_CAS_CONFLICT ||
           result == RATINGS_CAS_CORRUPT;
}

/* ---- the calls ---- */

static const ratings_voter_t voter = {{1, 2, 3}};
static const char token[] = "0123456789abcdef";

static ratings_store_state_t *state_of_one_partition(void)
{
    static ratings_store_state_t state;
    state.checkpoint_count = 1;
    state.checkpoint[0] = 7;
    state.barred[0] = state.lives[0] = 2;
    memcpy(state.generation, token, sizeof token);
    return &state;
}

static apr_status_t read_talk(ratings_store_t *store, ratings_result_t *why)
{
    ratings_snapshot_t snapshot;
    apr_status_t status = ratings_store_read(store, "talk", 0, INT64_MAX, &snapshot, why);
    if (status == APR_SUCCESS)
        check_snapshot(&snapshot);
    return status;
}

static apr_status_t read_vote(ratings_store_t *store, ratings_result_t *why)
{
    ratings_snapshot_t snapshot;
    int value;
    apr_status_t status =
        ratings_store_read_vote(store, "talk", &voter, 0, INT64_MAX, &snapshot, &value, why);
    if (status != APR_SUCCESS)
        return status;
    check_snapshot(&snapshot);
    MUST(value == RATINGS_VALUE_NONE || (value >= RATINGS_VALUE_MIN && value <= RATINGS_VALUE_MAX));
    return status;
}

static apr_status_t read_many(ratings_store_t *store, ratings_result_t *why)
{
    ratings_store_talk_t talks[] = {{.talk_id = "one"}, {.talk_id = "two", .partition = 1}};
    apr_status_t status = ratings_store_read_many(store, talks, 2, INT64_MAX, why);
    for (int i = 0; i < 2 && status == APR_SUCCESS; i++)
        check_snapshot(&talks[i].snapshot);
    return status;
}

static void check_ranked(void *data, const char *talk_id, double score)
{
    (void)data;
    MUST(talk_id && score - score == 0); /* finite */
}

static apr_status_t read_top(ratings_store_t *store, ratings_result_t *why)
{
    return ratings_store_read_top(store, INT64_MAX, check_ranked, NULL, why);
}

static apr_status_t read_use(ratings_store_t *store, ratings_result_t *why)
{
    const ratings_store_key_t key = {"talk", NULL, "key"};
    ratings_use_t use;
    int64_t checkpoint;
    apr_status_t status = ratings_store_read_use(store, &key, 0, INT64_MAX, &use, &checkpoint, why);
    if (status == APR_SUCCESS) {
        check_use(&use);
        MUST(checkpoint >= -1);
    }
    return status;
}

static apr_status_t read_barred(ratings_store_t *store, ratings_result_t *why)
{
    bool is_barred;
    int64_t checkpoint;
    apr_status_t status =
        ratings_store_read_barred(store, &voter, 0, INT64_MAX, &is_barred, &checkpoint, why);
    MUST(status != APR_SUCCESS || checkpoint >= -1);
    return status;
}

static apr_status_t check_store(ratings_store_t *store, ratings_result_t *why)
{
    ratings_store_fault_e fault;
    apr_status_t status = ratings_store_check(store, INT64_MAX, &fault, why);
    MUST(status != APR_SUCCESS || !fault || ratings_store_fault_text((int)fault));
    return status;
}

static bool is_text_within(const char *text, size_t size)
{
    return memchr(text, '\0', size) != NULL;
}

/* What has no problem is as this module writes it. */
static void check_checkpoints(const ratings_store_state_t *state)
{
    MUST(state->checkpoint_count > 0 && state->checkpoint_count <= RATINGS_PARTITIONS_MAX);
    for (int p = 0; p < state->checkpoint_count; p++)
        MUST(state->checkpoint[p] >= 0 && state->barred[p] >= 0 && state->lives[p] >= 0);
}

static void check_state(const ratings_store_state_t *state)
{
    MUST(is_text_within(state->topic, sizeof state->topic) &&
         is_text_within(state->generation, sizeof state->generation) &&
         is_text_within(state->claim, sizeof state->claim) &&
         is_text_within(state->ranking, sizeof state->ranking) &&
         is_text_within(state->digest[0], sizeof state->digest[0]) &&
         is_text_within(state->digest[1], sizeof state->digest[1]));
    if (!state->problem)
        check_checkpoints(state);
}

static apr_status_t load_state(ratings_store_t *store, ratings_result_t *why)
{
    static ratings_store_state_t state;
    apr_status_t status = ratings_store_load_state(store, INT64_MAX, &state, why);
    if (status == APR_SUCCESS)
        check_state(&state);
    return status;
}

static apr_status_t load_barred(ratings_store_t *store, ratings_result_t *why)
{
    ratings_voter_set_t barred = {0};
    ratings_cas_e result;
    apr_status_t status =
        ratings_store_load_barred(store, state_of_one_partition(), 0, &barred, &result, why);
    MUST(status != APR_SUCCESS || is_result(result));
    ratings_voter_set_free(&barred);
    return status;
}

static apr_status_t load_tickets(ratings_store_t *store, ratings_result_t *why)
{
    ratings_ticket_windows_t windows = {0};
    ratings_cas_e result;
    apr_status_t status =
        ratings_store_load_tickets(store, state_of_one_partition(), 0, &windows, &result, why);
    MUST(status != APR_SUCCESS || is_result(result));
    ratings_ticket_windows_free(&windows);
    return status;
}

static apr_status_t load_uses(ratings_store_t *store, ratings_result_t *why)
{
    ratings_key_use_t use = {.key = {"talk", &voter, "key"}, .use = {.offset = -1}};
    ratings_key_use_t *const uses[] = {&use};
    ratings_batch_t batch = {.generation = token, .checkpoint = 7, .uses = uses, .use_count = 1};
    ratings_cas_e result;
    apr_status_t status = ratings_store_load_uses(store, &batch, &result, why);
    MUST(status != APR_SUCCESS || is_result(result));
    check_use(&use.use);
    return status;
}

/* One batch of two talks, whose counts are asked for, beside one that asks for none. */
static apr_status_t apply(ratings_store_t *store, ratings_result_t *why)
{
    const ratings_vote_t vote = {.voter = voter, .offset = 7, .value = 5};
    const ratings_increment_t one = {.talk_id = "one", .votes = &vote, .vote_count = 1};
    const ratings_increment_t two = {.talk_id = "two", .added = {1}};
    const ratings_increment_t *const increments[] = {&one, &two};
    ratings_histogram_t counts[2];
    ratings_batch_t first = {.generation = token,
                             .checkpoint = 7,
                             .next_checkpoint = 9,
                             .first = {.offset = RATINGS_FINGERPRINT_NONE},
                             .increments = increments,
                             .increment_count = 2,
                             .voted_count = 1,
                             .counts = counts};
    ratings_batch_t second = first;
    const ratings_batch_t *const batches[] = {&first, &second};
    ratings_cas_e results[2];
    second.partition = 1;
    second.counts = NULL;
    apr_status_t status = ratings_store_apply(store, batches, 2, results, why);
    MUST(is_result(results[0]) && is_result(results[1]));
    for (int i = 0; i < 2 && results[0] == RATINGS_CAS_APPLIED; i++)
        for (int v = 0; v < RATINGS_VALUES; v++)
            MUST(counts[i].count[v] >= 0);
    return status;
}

static apr_status_t request_rebuild(ratings_store_t *store, ratings_result_t *why)
{
    ratings_cas_e result;
    apr_status_t status = ratings_store_request_rebuild(store, token, 1, &result, why);
    MUST(is_result(result));
    return status;
}

static apr_status_t sweep(ratings_store_t *store, ratings_result_t *why)
{
    ratings_sweep_t sweep = {.cursor = "0"};
    ratings_cas_e result = RATINGS_CAS_CONFLICT;
    memcpy(sweep.token, token, sizeof token);
    apr_status_t status = ratings_store_sweep(store, &sweep, &result, why);
    MUST(is_result(result) && memchr(sweep.cursor, '\0', sizeof sweep.cursor));
    MUST(sweep.deleted >= 0 && sweep.steps == (status == APR_SUCCESS && !result));
    return status;
}

static apr_status_t acquire_lease(ratings_store_t *store, ratings_result_t *why)
{
    bool held = false;
    char holder[RATINGS_TOKEN_MAX + 1] = "";
    apr_status_t status =
        ratings_store_acquire_lease(store, token, "", 1000000, &held, holder, why);
    MUST(memchr(holder, '\0', sizeof holder));
    MUST(!held || strcmp(holder, token) == 0);
    return status;
}

static apr_status_t release_lease(ratings_store_t *store, ratings_result_t *why)
{
    return ratings_store_release_lease(store, token, INT64_MAX, why);
}

static apr_status_t (*const calls[])(ratings_store_t *store, ratings_result_t *why) = {
    read_talk,   read_vote,       read_many,     read_top,     read_use,  read_barred,
    check_store, load_state,      load_barred,   load_tickets, load_uses, apply,
    sweep,       request_rebuild, acquire_lease, release_lease};

#define CALLS (sizeof calls / sizeof calls[0])

static const char *const places[] = {"redis://127.0.0.1", "redis://u:p@127.0.0.1/1",
                                     "redis+sentinel://:p@127.0.0.1,127.0.0.2/m",
                                     "unix:///tmp/redis.sock"};

#define PLACES (sizeof places / sizeof places[0])

static void run_call(unsigned which)
{
    const ratings_store_options_t options = {
        .url = places[which / CALLS % PLACES], .connections_max = 1, .timeout = 1000000};
    ratings_store_t *store;
    ratings_result_t why;
    MUST(ratings_store_create(&store, &options, &why) == APR_SUCCESS);
    ratings_result_ok(&why);
    apr_status_t status = calls[which % CALLS](store, &why);
    check_result(status, &why);
    ratings_store_destroy(store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static bool is_ready;
    if (!is_ready)
        MUST(apr_initialize() == APR_SUCCESS && signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    is_ready = true;
    if (size == 0)
        return 0;
    input.at = data + 1;
    input.end = data + size;
    run_call(data[0]);
    hang_up();
    return 0;
}
