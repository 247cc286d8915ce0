/* The topic: what this host has to know of its settings, whether they let it be the log of all
 * ratings, and whether it takes events. Told through the shared memory, and logged when it changes.
 * For one thread.
 */
#ifndef RATINGS_PROJECTOR_TOPIC_WATCH_H
#define RATINGS_PROJECTOR_TOPIC_WATCH_H

#include "projector_options.h"

typedef struct {
    const ratings_projector_options_t *options;
    int64_t poll_at;  /* when they are to be asked for next; of ratings_monotonic */
    int64_t check_at; /* when it is next checked whether the topic takes events */
    int64_t wanted_until;
    bool was_denied;         /* that it keeps append times, by its records, when last asked */
    uint32_t health_answers; /* when that was last known to be wanted */
} topic_watch_t;

void topic_watch_init(topic_watch_t *watch, const ratings_projector_options_t *options);

/* Asks Kafka for the settings if it is time to, and, while readiness is asked for now and then,
 * also whether the topic takes events. A failure is nobody's business: they are asked for again,
 * and the projection notices a Kafka that does not answer. */
void topic_watch_poll(topic_watch_t *watch);

/* Tells this host what the topic is like. */
void topic_watch_publish(topic_watch_t *watch, const ratings_topic_t *topic);

#endif
