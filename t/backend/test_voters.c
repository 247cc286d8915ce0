/* Ratings of voters, and tickets, folded twice: by the projector's batches and the store's script
 * on a real Redis, and naively, each time from the log's beginning. Random logs, cut into batches
 * at random places, while the store goes back to what it was before. RATINGS_SEED=N: one log alone.
 */
#include "../../src/core/event.h"
#include "../../src/projector/batch.h"
#include "redis_server.h"

#define LOGS 40
#define EVENTS 120 /* of a log */
#define PARTITIONS 2
#define TALKS 3 /* events of the last one are in both partitions */
#define VOTERS 4
#define KEYS 3
#define WINDOW_MS 1000
#define LIVES 2 /* of rings, which both partitions share */

/* ---- the log ---- */

typedef struct {
    ratings_event_t event;
    int talk, voter;      /* -1: anonymous */
    int key;              /* -1: none */
    bool bars, is_barred; /* it bars the voter, or ends that, and is no event */
    int64_t offset, timestamp;
    int identity;
    ratings_ticket_t ticket; /* then it has no identity */
    char value[512];
    size_t length;
} entry_t;

typedef struct {
    entry_t entry[EVENTS];
    int count;
} log_t;

static log_t logs[PARTITIONS];
static uint64_t numbers[LIVES]; /* given last */
static uint64_t random_state;

static int draw(int bound)
{
    random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407U;
    return (int)((random_state >> 33) % (uint64_t)bound);
}

static ratings_voter_t voter_of(int n)
{
    ratings_voter_t voter = {{0}};
    memcpy(voter.hash, &n, sizeof n);
    return voter;
}

static void fill_event(entry_t *entry)
{
    ratings_event_t *event = &entry->event;
    *event = (ratings_event_t){.rating.value = 1 + draw(5), .has_voter = entry->voter >= 0};
    (void)snprintf(event->rating.talk_id, sizeof event->rating.talk_id, "talk %d", entry->talk);
    if (entry->key >= 0) {
        (void)snprintf(event->key.text, sizeof event->key.text, "key %d", entry->key);
        event->key.window_ms = WINDOW_MS;
    }
    if (event->has_voter) {
        event->voter = voter_of(entry->voter);
        if (draw(4) == 0)
            event->rating.value = RATINGS_VALUE_NONE;
    }
}

static char *encode_entry(entry_t *entry)
{
    const ratings_bar_t bar = {voter_of(entry->voter), entry->is_barred};
    return entry->bars ? ratings_bar_encode(&bar, "why", &entry->length)
                       : ratings_event_encode(&entry->event, &entry->length);
}

/* Gaps between offsets, some wider than the deduplication window; times that go back. */
static void place_entry(entry_t *entry, const entry_t *before)
{
    entry->offset = before ? before->offset + 1 + (draw(12) == 0 ? draw(3) * 20000 : 0) : 0;
    entry->timestamp = (before ? before->timestamp : 100000) + draw(500) - 100;
    entry->identity = before && draw(4) == 0 ? before->identity - draw(3) : 1 + (int)entry->offset;
}

/* One that was given before, in this partition or the other; or a new one, after a leap at times. A
 * ring would not give it while so early ones are under way: the fold may not depend on that. */
static void give_ticket(entry_t *entry)
{
    int ring = draw(LIVES);
    uint64_t *number = &numbers[ring];
    entry->ticket = (ratings_ticket_t){0, 0};
    if (draw(2))
        return;
    entry->ticket.life = 1 + (uint64_t)ring;
    if (*number > 0 && draw(3) == 0) {
        uint64_t back = (uint64_t)draw(draw(2) ? 4 : 3000);
        entry->ticket.number = back < *number ? *number - back : 0;
    } else {
        *number += 1 + (uint64_t)(draw(6) ? draw(2) : draw(1500));
        entry->ticket.number = *number;
    }
}

static void make_log(int partition)
{
    log_t *log = &logs[partition];
    for (log->count = 0; log->count < EVENTS; log->count++) {
        entry_t *entry = &log->entry[log->count];
        entry->talk = draw(2) ? partition : TALKS - 1;
        entry->voter = draw(3) ? draw(VOTERS) : -1;
        entry->key = draw(2) ? draw(KEYS) : -1;
        fill_event(entry);
        entry->bars = entry->voter >= 0 && draw(12) == 0;
        entry->is_barred = draw(3) > 0;
        place_entry(entry, log->count > 0 ? entry - 1 : NULL);
        give_ticket(entry);
        char *value = encode_entry(entry);
        assert_true(value && entry->length < sizeof entry->value);
        memcpy(entry->value, value, entry->length);
        free(value);
    }
}

static ratings_record_t record_of(int partition, const entry_t *entry)
{
    const char *id = entry->bars ? RATINGS_BAR_KEY : entry->event.rating.talk_id;
    return (ratings_record_t){
        .partition = partition,
        .offset = entry->offset,
        .timestamp = entry->timestamp,
        .has_append_time = true,
        .key = id,
        .key_len = strlen(id),
        .value = entry->value,
        .value_len = entry->length,
        .ticket = entry->ticket,
        .identity = ratings_identity("/test", 5, &entry->identity,
                                     entry->ticket.life ? 0 : sizeof entry->identity),
    };
}

/* ---- the naive fold ---- */

typedef struct {
    int64_t count[TALKS][RATINGS_VALUES];
    int vote[PARTITIONS][TALKS][VOTERS];
    bool is_barred[PARTITIONS][VOTERS];
} fold_t;

static bool repeats_id(const log_t *log, int i)
{
    for (int j = 0; j < i; j++)
        if (!log->entry[j].ticket.life && log->entry[j].identity == log->entry[i].identity &&
            log->entry[j].offset >= log->entry[i].offset - RATINGS_DEDUP_SPAN)
            return true;
    return false;
}

/* Whether the ticket came before, or one that is too far beyond it. */
static bool repeats_ticket(const log_t *log, int i)
{
    const ratings_ticket_t *ticket = &log->entry[i].ticket;
    for (int j = 0; j < i; j++) {
        const ratings_ticket_t *before = &log->entry[j].ticket;
        if (before->life == ticket->life && (before->number == ticket->number ||
                                             before->number >= ticket->number + RATINGS_TICKETS))
            return true;
    }
    return false;
}

static int64_t time_at(const log_t *log, int i)
{
    int64_t time = 0;
    for (int j = 0; j <= i; j++)
        time = log->entry[j].timestamp > time ? log->entry[j].timestamp : time;
    return time;
}

static bool same_key(const entry_t *a, const entry_t *b)
{
    return a->key == b->key && a->talk == b->talk && a->voter == b->voter;
}

/* Whether an event that counts has used its key. */
static bool repeats_key(const log_t *log, const bool counts[EVENTS], int i)
{
    const entry_t *entry = &log->entry[i];
    for (int j = 0; j < i && entry->key >= 0; j++)
        if (counts[j] && same_key(&log->entry[j], entry) &&
            time_at(log, i) < time_at(log, j) + WINDOW_MS)
            return true;
    return false;
}

static bool is_by_the_barred(const entry_t *entry, const bool is_barred[VOTERS])
{
    return entry->voter >= 0 && is_barred[entry->voter] &&
           entry->event.rating.value != RATINGS_VALUE_NONE;
}

static void count_entry(fold_t *fold, int partition, const entry_t *entry)
{
    int value = entry->event.rating.value;
    if (entry->voter >= 0)
        fold->vote[partition][entry->talk][entry->voter] = value;
    else
        fold->count[entry->talk][value - RATINGS_VALUE_MIN]++;
}

static void fold_log(int partition, int64_t checkpoint, fold_t *fold)
{
    const log_t *log = &logs[partition];
    bool counts[EVENTS] = {false}, *is_barred = fold->is_barred[partition];
    for (int i = 0; i < log->count && log->entry[i].offset < checkpoint; i++) {
        const entry_t *entry = &log->entry[i];
        if (entry->ticket.life ? repeats_ticket(log, i) : repeats_id(log, i))
            continue;
        if (entry->bars)
            is_barred[entry->voter] = entry->is_barred;
        else
            counts[i] = !repeats_key(log, counts, i) && !is_by_the_barred(entry, is_barred);
        if (counts[i])
            count_entry(fold, partition, entry);
    }
}

static fold_t fold_naively(const int64_t checkpoint[PARTITIONS])
{
    fold_t fold = {.count = {{0}}};
    for (int p = 0; p < PARTITIONS; p++) {
        fold_log(p, checkpoint[p], &fold);
        for (int t = 0; t < TALKS; t++)
            for (int v = 0; v < VOTERS; v++)
                if (fold.vote[p][t][v] != RATINGS_VALUE_NONE)
                    fold.count[t][fold.vote[p][t][v] - RATINGS_VALUE_MIN]++;
    }
    return fold;
}

/* ---- the store ---- */

static ratings_store_t *store;
static ratings_store_state_t state_of_store;

static void evaluate(const char *script)
{
    redisReply *reply = NULL;
    ratings_result_t why;
    if (store_command(store, &reply, NO_DEADLINE, &why, "EVAL", script, "0", NULL) != APR_SUCCESS)
        fail_msg("%s: %s", script, why.detail);
    freeReplyObject(reply);
}

static void keep_store(void)
{
    evaluate("redis.call('SELECT', 1) redis.call('FLUSHDB') redis.call('SELECT', 0) "
             "for _, key in ipairs(redis.call('KEYS', '*')) do "
             "  redis.call('COPY', key, key, 'DB', 1) end return 'OK'");
}

static void roll_back(void)
{
    evaluate("redis.call('FLUSHDB') redis.call('SELECT', 1) "
             "for _, key in ipairs(redis.call('KEYS', '*')) do "
             "  redis.call('COPY', key, key, 'DB', 0) end return 'OK'");
}

static void load(void)
{
    ratings_result_t why;
    if (ratings_store_load_state(store, NO_DEADLINE, &state_of_store, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
}

static void rebuild(void)
{
    static const bool empty[PARTITIONS] = {false};
    ratings_sweep_t sweep = {.token = "0123456789abcdef", .cursor = "0"};
    ratings_cas_e end;
    ratings_result_t why;
    load();
    assert_int_equal(ratings_store_claim(store, &state_of_store, &sweep, &end, &why), APR_SUCCESS);
    do
        assert_int_equal(ratings_store_sweep(store, &sweep, &end, &why), APR_SUCCESS);
    while (strcmp(sweep.cursor, "0") != 0);
    assert_int_equal(
        ratings_store_open(store, &sweep, "ratings", PARTITIONS, PARTITIONS, empty, &end, &why),
        APR_SUCCESS);
    assert_int_equal(ratings_store_caught_up(store, sweep.token, &end, &why), APR_SUCCESS);
    load();
    assert_null(state_of_store.problem);
}

/* ---- batches ---- */

/* What is new to the batch, after what reading begins with: a deduplication window before. */
static void add_to_batch(batch_t *batch, const ratings_record_t *record, bool is_duplicate)
{
    ratings_bar_t bar;
    if (!batch_add(batch, record, is_duplicate))
        return;
    assert_true(
        ratings_bar_decode(record->key, record->key_len, record->value, record->value_len, &bar));
    assert_true(batch_bar(batch, &bar));
}

/* As the projector does. */
static bool is_duplicate(batch_t *batch, ratings_dedup_window_t *window,
                         const ratings_record_t *record)
{
    if (!record->ticket.life)
        return ratings_dedup_window_check_and_add(window, &record->identity, record->offset) ==
               RATINGS_DEDUP_DUPLICATE;
    return record->offset >= batch_next_offset(batch) &&
           batch_note_ticket(batch, &record->ticket, record->offset) == RATINGS_TICKET_REPEATED;
}

static void fill_batch(batch_t *batch, int partition, int64_t checkpoint, int count)
{
    const log_t *log = &logs[partition];
    ratings_dedup_window_t *window = ratings_dedup_window_new();
    for (int i = 0; i < log->count && count > 0; i++) {
        ratings_record_t record = record_of(partition, &log->entry[i]);
        if (record.offset < checkpoint - RATINGS_DEDUP_SPAN)
            continue;
        add_to_batch(batch, &record, is_duplicate(batch, window, &record));
        batch_detach(batch);
        count -= record.offset >= checkpoint;
    }
    ratings_dedup_window_free(window);
}

static void load_barred(int partition, ratings_voter_set_t *barred)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (state_of_store.barred[partition] == 0)
        return;
    if (ratings_store_load_barred(store, &state_of_store, partition, barred, &end, &why) !=
        APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
}

static ratings_cas_e load_tickets(int partition, ratings_ticket_windows_t *tickets)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (state_of_store.lives[partition] == 0)
        return RATINGS_CAS_APPLIED;
    if (ratings_store_load_tickets(store, &state_of_store, partition, tickets, &end, &why) !=
        APR_SUCCESS)
        fail_msg("%s", why.detail);
    return end;
}

static void fill_once(ratings_fill_t *fill, ratings_cas_e expected)
{
    ratings_cas_e end;
    ratings_result_t why;
    if (ratings_store_fill(store, fill, &end, &why) != APR_SUCCESS)
        fail_msg("%s", why.detail);
    assert_int_equal(end, expected);
}

static ratings_fill_t begin_fill(const ratings_batch_t *batch)
{
    ratings_fill_t fill = {.batch = batch,
                           .part_size = RATINGS_FILL_TALK + 1 + draw(draw(2) ? 4 : 40)};
    (void)snprintf(fill.token, sizeof fill.token, "%d", draw(1 << 30));
    return fill;
}

/* What is left takes neither the next part nor anything else, and says that it is to be rebuilt. */
static void break_off(ratings_fill_t *fill)
{
    const ratings_batch_t *batches[] = {fill->batch};
    ratings_fill_t other = begin_fill(fill->batch);
    ratings_cas_e end;
    ratings_result_t why;
    assert_int_equal(ratings_store_apply(store, batches, 1, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_CONFLICT);
    fill_once(&other, RATINGS_CAS_CONFLICT);
    load();
    assert_string_equal(state_of_store.problem, "a rebuild was not finished");
    rebuild();
    fill_once(fill, RATINGS_CAS_CONFLICT);
}

/* The store goes back to before the first part, and another one writes the same: the parts of the
 * two may be cut at different places. */
static void begin_again(ratings_fill_t *fill)
{
    ratings_fill_t late = begin_fill(fill->batch);
    keep_store();
    fill_once(&late, RATINGS_CAS_APPLIED);
    roll_back();
    fill_once(fill, RATINGS_CAS_APPLIED);
    if (!late.is_complete)
        fill_once(&late, RATINGS_CAS_CONFLICT);
}

static void go_back_a_part(ratings_fill_t *fill)
{
    keep_store();
    fill_once(fill, RATINGS_CAS_APPLIED);
    roll_back();
    if (!fill->is_complete)
        fill_once(fill, RATINGS_CAS_CONFLICT);
    break_off(fill);
}

static void apply_in_parts(const ratings_batch_t *batch)
{
    ratings_fill_t fill = begin_fill(batch);
    int fate = draw(4), at = draw(4);
    if (fate == 0)
        begin_again(&fill);
    while (!fill.is_complete) {
        if (fate == 1 && fill.parts == 1 + at) {
            go_back_a_part(&fill);
            break;
        }
        if (fate == 2 && fill.parts == 1 + at) {
            break_off(&fill);
            break;
        }
        fill_once(&fill, RATINGS_CAS_APPLIED);
    }
    keep_store();
}

/* What the script has replied is what the store holds. */
static void compare_replied(const ratings_batch_t *batch)
{
    assert_non_null(batch->counts);
    for (int i = 0; i < batch->increment_count; i++) {
        ratings_snapshot_t snapshot;
        ratings_result_t why;
        assert_int_equal(ratings_store_read(store, batch->increments[i]->talk_id, batch->partition,
                                            NO_DEADLINE, &snapshot, &why),
                         APR_SUCCESS);
        assert_memory_equal(&batch->counts[i], &snapshot.histogram, sizeof snapshot.histogram);
    }
}

/* Applies the next `count` events of a partition. */
static void apply(int partition, int count, apr_pool_t *pool)
{
    const ratings_store_state_t *state = &state_of_store;
    const ratings_batch_t start = {.generation = state->generation,
                                   .partition = partition,
                                   .checkpoint = state->checkpoint[partition],
                                   .previous = state->last[partition],
                                   .log_time = state->log_time[partition]};
    ratings_voter_set_t barred = {0};
    ratings_ticket_windows_t tickets = {0};
    ratings_cas_e end;
    ratings_result_t why;
    load_barred(partition, &barred);
    assert_int_equal(load_tickets(partition, &tickets), RATINGS_CAS_APPLIED);
    batch_t *batch = batch_create(&start, &barred, &tickets, pool);
    fill_batch(batch, partition, start.checkpoint, count);
    ratings_voter_set_free(&barred);
    if (batch_next_offset(batch) == start.checkpoint) {
        ratings_ticket_windows_free(&tickets);
        return;
    }
    assert_int_equal(batch_resolve_keys(batch, store, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    const ratings_batch_t *batches[] = {batch_finish(batch, true)};
    ratings_ticket_windows_free(&tickets); /* the batch on its way has its own */
    if (start.checkpoint == 0 && draw(4) > 0) {
        apply_in_parts(batches[0]);
        return;
    }
    assert_int_equal(ratings_store_apply(store, batches, 1, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    compare_replied(batches[0]);
}

/* ---- comparing ---- */

static void compare_votes(int partition, int talk, const fold_t *fold)
{
    for (int v = 0; v < VOTERS; v++) {
        const ratings_voter_t voter = voter_of(v);
        ratings_snapshot_t snapshot;
        ratings_result_t why;
        char id[32];
        int value = -1;
        (void)snprintf(id, sizeof id, "talk %d", talk);
        assert_int_equal(ratings_store_read_vote(store, id, &voter, partition, NO_DEADLINE,
                                                 &snapshot, &value, &why),
                         APR_SUCCESS);
        assert_int_equal(value, fold->vote[partition][talk][v]);
        assert_memory_equal(snapshot.histogram.count, fold->count[talk],
                            sizeof snapshot.histogram.count);
    }
}

static void compare_barred(int partition, const fold_t *fold)
{
    for (int v = 0; v < VOTERS; v++) {
        const ratings_voter_t voter = voter_of(v);
        ratings_result_t why;
        int64_t checkpoint = -1;
        bool is_barred = false;
        assert_int_equal(ratings_store_read_barred(store, &voter, partition, NO_DEADLINE,
                                                   &is_barred, &checkpoint, &why),
                         APR_SUCCESS);
        assert_int_equal(is_barred, fold->is_barred[partition][v]);
        assert_int_equal(checkpoint, state_of_store.checkpoint[partition]);
    }
}

static void compare(void)
{
    const fold_t fold = fold_naively(state_of_store.checkpoint);
    for (int t = 0; t < TALKS; t++)
        for (int p = 0; p < PARTITIONS; p++)
            compare_votes(p, t, &fold);
    for (int p = 0; p < PARTITIONS; p++)
        compare_barred(p, &fold);
}

/* ---- the property ---- */

static bool is_done(void)
{
    for (int p = 0; p < PARTITIONS; p++)
        if (state_of_store.checkpoint[p] <= logs[p].entry[EVENTS - 1].offset)
            return false;
    return true;
}

/* Their key alone: whoever loads them notices, and rebuilds. */
static void lose_tickets(int partition)
{
    ratings_ticket_windows_t tickets = {0};
    evaluate(apr_psprintf(redis.pool, "return 'lost ' .. redis.call('DEL', 'ratings:tickets:%d')",
                          partition));
    load();
    if (load_tickets(partition, &tickets) == RATINGS_CAS_CORRUPT)
        rebuild();
    else
        assert_int_equal(state_of_store.lives[partition], 0);
    assert_int_equal(tickets.count, 0);
}

static void step(apr_pool_t *pool)
{
    int fate = draw(60);
    if (fate < 3)
        keep_store();
    else if (fate < 6)
        roll_back();
    else if (fate == 6)
        lose_tickets(draw(PARTITIONS));
    else
        apply(draw(PARTITIONS), 1 + draw(draw(2) ? 4 : 40), pool);
    load();
    if (state_of_store.problem)
        fail_msg("%s", state_of_store.problem);
    compare();
}

static void fold_one_log(uint64_t seed)
{
    apr_pool_t *pool;
    apr_pool_create(&pool, redis.pool);
    random_state = seed;
    memset(numbers, 0, sizeof numbers);
    for (int p = 0; p < PARTITIONS; p++)
        make_log(p);
    rebuild();
    keep_store();
    for (int steps = 0; steps < 400 && !is_done(); steps++) {
        step(pool);
        apr_pool_clear(pool);
    }
    assert_true(is_done());
    apr_pool_destroy(pool);
}

static uint64_t seed; /* of the log that is being folded; 0: none */

static void store_is_the_naive_fold_at_every_checkpoint(void **state)
{
    const char *chosen = getenv("RATINGS_SEED");
    (void)state;
    for (int i = 1; i <= (chosen ? 1 : LOGS); i++) {
        seed = chosen ? (uint64_t)strtoull(chosen, NULL, 10) : (uint64_t)i;
        fold_one_log(seed);
    }
    seed = 0;
}

static int say_which_log(void **state)
{
    (void)state;
    if (seed)
        print_message("with RATINGS_SEED=%llu\n", (unsigned long long)seed);
    return 0;
}

/* ---- many voters ---- */

#define MANY 3000
#define CHANGES 3

static const int last_of_many[] = {5, RATINGS_VALUE_NONE, 2}; /* of every third voter */

static void add_vote(batch_t *batch, int voter, int value, int64_t offset)
{
    entry_t entry = {
        .event = {.rating = {"talk", value}, .has_voter = true, .voter = voter_of(voter)},
        .offset = offset,
        .timestamp = 1};
    char *text = ratings_event_encode(&entry.event, &entry.length);
    memcpy(entry.value, text, entry.length);
    free(text);
    ratings_record_t record = record_of(0, &entry);
    assert_null(batch_add(batch, &record, false));
    batch_detach(batch);
}

static void add_vote_of_many(batch_t *batch, int i)
{
    add_vote(batch, i % MANY, i < (CHANGES - 1) * MANY ? 1 + i % 5 : last_of_many[i % 3], i);
}

static void compare_one_of_many(int n)
{
    static const int64_t counts[] = {0, MANY / 3, 0, 0, MANY / 3};
    const ratings_voter_t voter = voter_of(n);
    ratings_snapshot_t snapshot;
    ratings_result_t why;
    int value = -1;
    assert_int_equal(
        ratings_store_read_vote(store, "talk", &voter, 0, NO_DEADLINE, &snapshot, &value, &why),
        APR_SUCCESS);
    assert_int_equal(value, last_of_many[n % 3]);
    assert_memory_equal(snapshot.histogram.count, counts, sizeof counts);
}

/* More votes than the batch's table begins with, each changed within the batch. */
static void votes_of_many_in_one_batch_are_each_their_last(void **state)
{
    apr_pool_t *pool;
    ratings_cas_e end;
    ratings_result_t why;
    (void)state;
    apr_pool_create(&pool, redis.pool);
    rebuild();
    const ratings_batch_t start = {.generation = state_of_store.generation,
                                   .previous.offset = RATINGS_FINGERPRINT_NONE};
    ratings_voter_set_t barred = {0};
    ratings_ticket_windows_t tickets = {0};
    batch_t *batch = batch_create(&start, &barred, &tickets, pool);
    for (int i = 0; i < CHANGES * MANY; i++)
        add_vote_of_many(batch, i);
    assert_int_equal(batch_size(batch), 1 + MANY / 2);
    const ratings_batch_t *batches[] = {batch_finish(batch, false)};
    assert_int_equal(ratings_store_apply(store, batches, 1, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    for (int n = 0; n < 30; n++)
        compare_one_of_many(n);
    apr_pool_destroy(pool);
}

/* ---- many lives ---- */

/* One event of each of `count` lives from `first` on, in a batch after `*before`. */
static void apply_lives(const ratings_batch_t *before, int first, int count,
                        ratings_ticket_windows_t *tickets, apr_pool_t *pool,
                        ratings_batch_t *applied)
{
    const ratings_batch_t start = {.generation = state_of_store.generation,
                                   .checkpoint = before->next_checkpoint,
                                   .previous = before->last};
    ratings_voter_set_t barred = {0};
    ratings_cas_e end;
    ratings_result_t why;
    batch_t *batch = batch_create(&start, &barred, tickets, pool);
    for (int i = 0; i < count; i++) {
        const ratings_ticket_t ticket = {(uint64_t)(first + i), 1};
        assert_int_equal(batch_note_ticket(batch, &ticket, start.checkpoint + i),
                         RATINGS_TICKET_COUNTS);
        add_vote(batch, 1, 1, start.checkpoint + i);
    }
    const ratings_batch_t *batches[] = {batch_finish(batch, false)};
    assert_int_equal(ratings_store_apply(store, batches, 1, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    *applied = *batches[0];
}

/* The store forgets the lives that the fold does, in the batch in which they came as well. */
static void lives_that_are_forgotten_are_not_in_the_store(void **state)
{
    apr_pool_t *pool;
    ratings_batch_t last = {.last.offset = RATINGS_FINGERPRINT_NONE};
    ratings_ticket_windows_t folded = {0}, loaded = {0};
    (void)state;
    apr_pool_create(&pool, redis.pool);
    rebuild();
    apply_lives(&last, 1, 100, &folded, pool, &last);
    apply_lives(&last, 101, RATINGS_LIVES_MAX, &folded, pool, &last);
    apply_lives(&last, 5001, 2 * RATINGS_LIVES_MAX, &folded, pool, &last);
    apply_lives(&last, 101, 1, &folded, pool, &last);
    load();
    assert_int_equal(state_of_store.lives[0], RATINGS_LIVES_MAX);
    assert_int_equal(load_tickets(0, &loaded), RATINGS_CAS_APPLIED);
    assert_int_equal(loaded.count, folded.count);
    assert_memory_equal(loaded.window, folded.window, folded.count * sizeof *folded.window);
    ratings_ticket_windows_free(&loaded);
    ratings_ticket_windows_free(&folded);
    apr_pool_destroy(pool);
}

/* ---- from a list of voters to a table ---- */

#define FEW 100 /* of which Redis makes a list; of twice as many apply.lua makes a table */

/* Votes `value` of `count` voters from `first` on, in a batch after `*before`. */
static void apply_votes(const ratings_batch_t *before, int first, int count, int value,
                        apr_pool_t *pool, ratings_batch_t *applied)
{
    ratings_batch_t start = {.generation = state_of_store.generation,
                             .checkpoint = before->next_checkpoint,
                             .previous = before->last};
    ratings_voter_set_t barred = {0};
    ratings_ticket_windows_t tickets = {0};
    ratings_cas_e end;
    ratings_result_t why;
    batch_t *batch = batch_create(&start, &barred, &tickets, pool);
    for (int i = 0; i < count; i++)
        add_vote(batch, first + i, i == 0 ? RATINGS_VALUE_NONE : value, start.checkpoint + i);
    const ratings_batch_t *batches[] = {batch_finish(batch, false)};
    assert_int_equal(ratings_store_apply(store, batches, 1, &end, &why), APR_SUCCESS);
    assert_int_equal(end, RATINGS_CAS_APPLIED);
    *applied = *batches[0];
}

/* The first vote of each batch withdraws, the next ones are as before: what is set first is none of
 * them. */
static void many_new_voters_make_a_table_of_a_list(void **state)
{
    apr_pool_t *pool;
    ratings_batch_t last = {.last.offset = RATINGS_FINGERPRINT_NONE};
    (void)state;
    apr_pool_create(&pool, redis.pool);
    rebuild();
    apply_votes(&last, 0, FEW, 4, pool, &last);
    evaluate("assert(redis.call('HLEN', 'ratings:voters/talk') == 99)");
    evaluate("assert(redis.call('OBJECT', 'ENCODING', 'ratings:voters/talk') ~= 'hashtable')");
    apply_votes(&last, 1, 2 * FEW, 4, pool, &last);
    evaluate("assert(redis.call('OBJECT', 'ENCODING', 'ratings:voters/talk') == 'hashtable')");
    evaluate("local votes = redis.call('HVALS', 'ratings:voters/talk') "
             "assert(#votes == 199) for _, vote in ipairs(votes) do assert(vote == '4') end");
    evaluate("assert(redis.call('HGET', 'ratings/talk', '4') == '199')");
    apr_pool_destroy(pool);
}

static int set_up(void **state)
{
    ratings_result_t why;
    (void)state;
    redis_set_up();
    ratings_store_options_t options = {apr_psprintf(redis.pool, "redis://127.0.0.1:%d", redis.port),
                                       1,
                                       apr_time_from_sec(5),
                                       NULL,
                                       NULL,
                                       NULL};
    return ratings_store_create(&store, &options, &why) == APR_SUCCESS ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    ratings_store_destroy(store);
    redis_tear_down();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(many_new_voters_make_a_table_of_a_list),
        cmocka_unit_test(votes_of_many_in_one_batch_are_each_their_last),
        cmocka_unit_test(lives_that_are_forgotten_are_not_in_the_store),
        cmocka_unit_test_teardown(store_is_the_naive_fold_at_every_checkpoint, say_which_log),
    };
    return cmocka_run_group_tests_name("voters", tests, set_up, tear_down);
}
