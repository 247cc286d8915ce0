/* The topic: what this host has to know of its settings, whether they let it be the log of all
 * ratings, whether it takes events, and whether it keeps append times. Told through the shared
 * memory, and logged when it changes. For one thread.
 */
#ifndef RATINGS_PROJECTOR_TOPIC_WATCH_H
#define RATINGS_PROJECTOR_TOPIC_WATCH_H

#include "projector_options.h"

typedef struct {
    const ratings_projector_options_t *options;
    int64_t poll_at;  /* when they are to be asked for next; of ratings_monotonic */
    int64_t check_at; /* when it is next checked whether the topic takes events */
    int64_t wanted_until;
    uint32_t health_answers;     /* when that was last known to be wanted */
    ratings_append_time_e said;  /* by the settings, when they were last read */
    bool was_denied;             /* when they were asked for last: by records, which was logged */
    int64_t prove_at;            /* when a record is to be appended that shows it; 0: not needed */
    int64_t prove_pause;         /* until the one after it */
    ratings_receiver_t receiver; /* of its delivery report */
} topic_watch_t;

/* `watch` must outlive the child's stream. */
void topic_watch_init(topic_watch_t *watch, const ratings_projector_options_t *options);

/* Asks Kafka for the settings if it is time to, and, while readiness is asked for now and then,
 * also whether the topic takes events. A failure is nobody's business: they are asked for again,
 * and the projection notices a Kafka that does not answer. Where ratings may have keys, and neither
 * settings nor records tell whether append times are kept, or the last record had none, it repeats
 * the record that says how talks are routed, now and then more rarely: what that has tells. */
void topic_watch_poll(topic_watch_t *watch);

/* Whether the log has any record with an append time, as the store says. */
void topic_watch_note_log(topic_watch_t *watch, bool has_append_times);

/* Tells this host what the topic is like. */
void topic_watch_publish(topic_watch_t *watch, const ratings_topic_t *topic);

#endif
