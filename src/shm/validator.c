#include "validator.h"

/* What other hosts apply is not missed for longer. All projectors look at the store twice in this
 * time; each batch that the leader applies, and each GET that reads the store, confirm the
 * watermark as well. */
#define CONFIRMED_US INT64_C(1000000)

bool ratings_validator_holds(const ratings_shm_t *shared, const ratings_validator_t *validator,
                             uint32_t slot, int64_t now, int64_t ttl)
{
    ratings_changes_t changes = ratings_shm_changes(shared, slot);
    return changes.epoch == validator->changes.epoch &&
           changes.counter == validator->changes.counter && now - validator->read_at < ttl &&
           ratings_shm_is_confirmed(shared, validator->partition, now, CONFIRMED_US);
}
