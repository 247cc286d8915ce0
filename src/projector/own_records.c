#include "own_records.h"

#include <stdlib.h>
#include <string.h>

#define KEPT_MAX 10000 /* as many as the producer may have under way */

void own_records_init(own_records_t *own)
{
    pthread_mutex_init(&own->lock, NULL);
    STAILQ_INIT(&own->list);
    own->count = 0;
    own->reader = NULL;
}

void own_records_free(own_record_list_t *list)
{
    own_record_t *kept;
    while ((kept = STAILQ_FIRST(list))) {
        STAILQ_REMOVE_HEAD(list, link);
        free(kept);
    }
}

void own_records_destroy(own_records_t *own)
{
    own_records_free(&own->list);
    pthread_mutex_destroy(&own->lock);
}

void own_records_listen(own_records_t *own, ratings_reader_t *reader)
{
    own_record_list_t dropped;
    own_records_take(own, &dropped);
    own_records_free(&dropped);
    pthread_mutex_lock(&own->lock);
    own->reader = reader;
    pthread_mutex_unlock(&own->lock);
}

void own_records_wake(own_records_t *own)
{
    pthread_mutex_lock(&own->lock);
    if (own->reader)
        ratings_reader_wake(own->reader);
    pthread_mutex_unlock(&own->lock);
}

static own_record_t *copy_record(const ratings_record_t *record)
{
    own_record_t *copy = malloc(sizeof *copy + record->key_len + record->value_len);
    if (!copy)
        return NULL;
    char *bytes = (char *)(copy + 1);
    copy->record = *record;
    copy->record.key = memcpy(bytes, record->key, record->key_len);
    copy->record.value = memcpy(bytes + record->key_len, record->value, record->value_len);
    return copy;
}

/* The reader is woken under the lock, which keeps it from being destroyed meanwhile. */
void own_records_add(own_records_t *own, const ratings_record_t *record)
{
    pthread_mutex_lock(&own->lock);
    own_record_t *copy = own->reader && own->count < KEPT_MAX ? copy_record(record) : NULL;
    if (copy) {
        STAILQ_INSERT_TAIL(&own->list, copy, link);
        if (own->count++ == 0)
            ratings_reader_wake(own->reader);
    }
    pthread_mutex_unlock(&own->lock);
}

void own_records_take(own_records_t *own, own_record_list_t *list)
{
    STAILQ_INIT(list);
    pthread_mutex_lock(&own->lock);
    STAILQ_CONCAT(list, &own->list);
    own->count = 0;
    pthread_mutex_unlock(&own->lock);
}
