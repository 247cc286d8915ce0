/* the source itself, since one test reaches into a slot */
#include "../../src/core/shm_cache.c" // NOLINT(bugprone-suspicious-include)
#include "unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

typedef struct {
    uint64_t key;
    char text[27]; /* no whole number of words */
} record_t;

static ratings_shm_cache_t *make(size_t records, size_t size)
{
    const ratings_shm_cache_geometry_t geometry = {records, sizeof(uint64_t), size};
    void *memory = calloc(1, ratings_shm_cache_size(&geometry));
    assert_non_null(memory);
    return ratings_shm_cache_init(memory, &geometry);
}

static void put(ratings_shm_cache_t *cache, uint32_t hash, uint64_t key, const char *text)
{
    record_t record = {.key = key};
    (void)snprintf(record.text, sizeof record.text, "%s", text);
    ratings_shm_cache_put(cache, hash, &record);
}

/* The text, or "" if there is none. */
static const char *find(const ratings_shm_cache_t *cache, uint32_t hash, uint64_t key)
{
    static record_t record;
    return ratings_shm_cache_get(cache, hash, &key, &record) ? record.text : "";
}

static void a_record_is_found_whole(void **state)
{
    ratings_shm_cache_t *cache = make(100, sizeof(record_t));
    (void)state;
    assert_string_equal(find(cache, 0, 0), "");
    put(cache, 0, 0, "abcdefghijklmnopqrstuvwxyz");
    assert_string_equal(find(cache, 0, 0), "abcdefghijklmnopqrstuvwxyz");
    free(cache);
}

static void a_record_of_another_key_is_not(void **state)
{
    ratings_shm_cache_t *cache = make(100, sizeof(record_t));
    (void)state;
    put(cache, 7, 1, "one");
    assert_string_equal(find(cache, 7, 2), "");
    put(cache, 7, 2, "two");
    assert_string_equal(find(cache, 7, 1), "one");
    assert_string_equal(find(cache, 7, 2), "two");
    free(cache);
}

static void a_newer_record_replaces_it(void **state)
{
    ratings_shm_cache_t *cache = make(8, sizeof(record_t));
    char text[16];
    (void)state;
    put(cache, 3, 100, "kept");
    for (int i = 0; i < 100; i++) {
        (void)snprintf(text, sizeof text, "%d", i);
        put(cache, 3, 1, text);
        assert_string_equal(find(cache, 3, 1), text);
    }
    assert_string_equal(find(cache, 3, 100), "kept");
    free(cache);
}

/* One hash allows eight slots: the ninth record replaces the one that was written first. */
static void the_oldest_is_replaced(void **state)
{
    ratings_shm_cache_t *cache = make(1000, sizeof(record_t));
    (void)state;
    for (uint64_t key = 1; key <= 8; key++)
        put(cache, 5, key, "x");
    put(cache, 5, 1, "anew");
    put(cache, 5, 9, "ninth");
    assert_string_equal(find(cache, 5, 1), "anew");
    assert_string_equal(find(cache, 5, 2), "");
    for (uint64_t key = 3; key <= 8; key++)
        assert_string_equal(find(cache, 5, key), "x");
    assert_string_equal(find(cache, 5, 9), "ninth");
    free(cache);
}

static void nearly_all_of_a_cache_half_full_stay(void **state)
{
    ratings_shm_cache_t *cache = make(16384, sizeof(record_t));
    int found = 0;
    (void)state;
    for (uint32_t key = 0; key < 10000; key++)
        put(cache, key * 33, key, "x");
    for (uint32_t key = 0; key < 10000; key++)
        found += find(cache, key * 33, key)[0] == 'x';
    assert_in_range(found, 9500, 10000);
    free(cache);
}

static void a_record_too_large_is_refused(void **state)
{
    (void)state;
    const ratings_shm_cache_geometry_t largest = {8, 8, RATINGS_SHM_CACHE_RECORD_MAX},
                                       larger = {8, 8, RATINGS_SHM_CACHE_RECORD_MAX + 1};
    assert_int_equal(ratings_shm_cache_size(&larger), 0);
    assert_int_not_equal(ratings_shm_cache_size(&largest), 0);
}

static void a_slot_whose_writer_was_killed_is_lost_and_no_more(void **state)
{
    ratings_shm_cache_t *cache = make(8, sizeof(record_t));
    (void)state;
    put(cache, 1, 1, "x");
    for (size_t way = 0; way < WAYS; way++)
        if (atomic_load(&head_of(slot_of(cache, 1, way))->sequence) != 0)
            atomic_store(&head_of(slot_of(cache, 1, way))->sequence, 1); /* as amid a write */
    for (uint64_t key = 2; key <= 100; key++) {
        put(cache, 1, key, "y");
        assert_string_equal(find(cache, 1, key), "y");
    }
    assert_string_equal(find(cache, 1, 1), "");
    free(cache);
}

/* ---- many threads ---- */

#define WIDE 60

/* All words of a record are its key and the same number, so that a torn one shows. */
typedef struct {
    uint64_t key, word[WIDE];
} wide_t;

typedef struct {
    ratings_shm_cache_t *cache;
    atomic_bool stop;
    _Atomic uint64_t found;
} shared_t;

static void *write_all_the_time(void *data)
{
    shared_t *shared = data;
    for (uint64_t n = 1; !atomic_load(&shared->stop); n++) {
        wide_t record = {.key = n % 12};
        for (int i = 0; i < WIDE; i++)
            record.word[i] = n;
        ratings_shm_cache_put(shared->cache, 1, &record);
    }
    return NULL;
}

static void check_one(shared_t *shared, uint64_t key)
{
    wide_t record;
    if (!ratings_shm_cache_get(shared->cache, 1, &key, &record))
        return;
    atomic_fetch_add(&shared->found, 1);
    for (int i = 0; i < WIDE; i++)
        assert_int_equal(record.word[i], record.word[0]);
    assert_int_equal(record.word[0] % 12, key);
}

static void no_record_is_torn(void **state)
{
    shared_t shared = {.cache = make(8, sizeof(wide_t))};
    pthread_t writer[2];
    (void)state;
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&writer[i], NULL, write_all_the_time, &shared), 0);
    for (uint64_t n = 0; n < 300000; n++)
        check_one(&shared, n % 12);
    atomic_store(&shared.stop, true);
    for (int i = 0; i < 2; i++)
        pthread_join(writer[i], NULL);
    assert_true(atomic_load(&shared.found) > 0);
    free(shared.cache);
}

int main(void)
{
    unit_suite_t suite = {.count = 0};

    unit_add(&suite, "a record is found whole", a_record_is_found_whole, NULL);
    unit_add(&suite, "a record of another key is not", a_record_of_another_key_is_not, NULL);
    unit_add(&suite, "a newer record replaces it", a_newer_record_replaces_it, NULL);
    unit_add(&suite, "the oldest is replaced", the_oldest_is_replaced, NULL);
    unit_add(&suite, "nearly all of a cache half full stay", nearly_all_of_a_cache_half_full_stay,
             NULL);
    unit_add(&suite, "a record too large is refused", a_record_too_large_is_refused, NULL);
    unit_add(&suite, "a slot whose writer was killed is lost, and no more",
             a_slot_whose_writer_was_killed_is_lost_and_no_more, NULL);
    unit_add(&suite, "no record is torn", no_record_is_torn, NULL);
    return unit_run("shm_cache", &suite);
}
