/* The writer: of all children of a host, the one that holds the host's lease appends the events of
 * all (../shm/append_ring.h), so that a host has one producer, and its batches are large.
 *
 * It takes what requests have queued, in the order of their tickets, hands it to the stream, and
 * settles each slot by the delivery report. An event that is durable waits in the visibility
 * barrier until the projector of this child has published that it is applied; then its request is
 * woken.
 *
 * Nothing is lost with a writer that is killed, stopped or frozen: whoever gets the lease next
 * sends again what is not settled. An event that is in the log twice counts once, by its ticket
 * (../core/ticket_window.h), so that two writers at a time do no harm.
 *
 * Threads: begin, end and destroy by the projector's thread; reports come on the stream's. */
#ifndef RATINGS_PROJECTOR_WRITER_H
#define RATINGS_PROJECTOR_WRITER_H

#include "own_records.h"
#include "projector_options.h"

#include <stdatomic.h>

typedef struct writer_t writer_t;

/* In `pool`, without a thread yet. `own` gets what was appended. What is given and what it refers
 * to outlive the writer. */
writer_t *writer_create(const ratings_projector_options_t *options, own_records_t *own,
                        apr_pool_t *pool);

/* Takes the host's lease, if it is to be had, and starts the thread, which keeps it, takes what is
 * queued, and sends again what earlier writers have sent and not settled. False: another child has
 * it, or there is no thread. */
bool writer_begin(writer_t *writer);

/* Whether the lease is still this child's; false as well before begin. Lives as long as the writer.
 */
const atomic_bool *writer_is_writing(const writer_t *writer);

/* Takes nothing any more, and gives up the lease. What was sent is still settled by its reports,
 * which come while the stream lasts. Nothing happens without a begin. */
void writer_end(writer_t *writer);

/* Once the stream is gone, which reports no more. */
void writer_destroy(writer_t *writer);

#endif
