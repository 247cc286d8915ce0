/* Records that this process has appended itself, as Kafka's reports tell of them: the leader
 * applies them without reading them back (direct.h). What a record of one's own may be applied by,
 * before it is fetched, is in t/model/broker.pml.
 *
 * The stream's threads add, the leader takes. Nothing depends on a record being here: what is
 * missing is read from the log. */
#ifndef RATINGS_PROJECTOR_OWN_RECORDS_H
#define RATINGS_PROJECTOR_OWN_RECORDS_H

#include "../backend/stream/stream_reader.h"

#include <pthread.h>
#include <sys/queue.h>

typedef struct own_record_t own_record_t;
struct own_record_t {
    STAILQ_ENTRY(own_record_t) link;
    ratings_record_t record; /* key and value lie behind it */
};

typedef STAILQ_HEAD(own_record_list_t, own_record_t) own_record_list_t;

typedef struct {
    pthread_mutex_t lock;
    own_record_list_t list; /* in the order of reports: of one partition, in that of offsets */
    int count;
    ratings_reader_t *reader; /* woken when the list is no longer empty; NULL: nobody takes */
} own_records_t;

void own_records_init(own_records_t *own);

/* Frees what is left. */
void own_records_destroy(own_records_t *own);

/* From now on records are kept for whoever reads by `reader`. NULL: no longer; what was kept is
 * dropped. */
void own_records_listen(own_records_t *own, ratings_reader_t *reader);

/* Wakes the reader, if there is one. Any thread. */
void own_records_wake(own_records_t *own);

/* Keeps a copy, unless nobody listens, too many are kept, or memory ran out. */
void own_records_add(own_records_t *own, const ratings_record_t *record);

/* All that was kept, for own_records_free. */
void own_records_take(own_records_t *own, own_record_list_t *list);
void own_records_free(own_record_list_t *list);

#endif
