/* Whether the topic keeps append times (ratings_append_time_e), as this host knows: an idempotency
 * key holds by them. Settings alone do not tell: a broker may take message.timestamp.type and keep
 * the producer's times. So RATINGS_APPEND_TIME_KEPT takes a record that has one, and settings that
 * do not deny it; until then nobody knows, and a request with a key is not taken. No lock; any
 * thread of any child. */
#ifndef RATINGS_SHM_APPEND_TIME_H
#define RATINGS_SHM_APPEND_TIME_H

#include "../backend/stream/stream_topic.h"
#include "segment.h"

ratings_append_time_e ratings_append_time(const ratings_shm_t *shared);

/* What the settings say: they deny it; or no longer do, which a record has to show. UNKNOWN changes
 * nothing. Returns what was known before. */
ratings_append_time_e ratings_append_time_note_settings(ratings_shm_t *shared,
                                                        ratings_append_time_e said);

/* The settings say that they are kept, and some record of the log has one: if nothing is known yet,
 * that is enough. */
void ratings_append_time_note_log(ratings_shm_t *shared);

/* A record of this host was appended, with or without one. */
void ratings_append_time_note_record(ratings_shm_t *shared, bool has_append_time);

/* An event with a key was counted without being compared. */
void ratings_append_time_deny(ratings_shm_t *shared);

#endif
