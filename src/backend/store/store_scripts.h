/* Private to the store: the scripts that Redis runs, each the whole of one step. The text of
 * lua_NAME is scripts/NAME.lua, whose top says what it takes, replies and writes; build/embed-lua
 * makes C of it.
 *
 * A conditional write replies "applied", "conflict" (the store is not where the caller thought) or
 * "corrupt" (a key is not what this module writes): store_cas_all reads that as ratings_cas_e.
 *
 * Redis does not undo what a script wrote before it failed. So each script reads and checks first;
 * then it tries without effect each command that it is about to write with, which may be denied to
 * the service's user (ACL) or renamed; then it writes. A script of several writes that is stopped
 * in their middle all the same leaves a store that ratings_store_load_state finds in need of a
 * rebuild: apply.lua by what it writes first and last, the others since they run under a claim.
 *
 * A full server refuses a script's first command that needs memory, and none after a command that
 * writes, even without effect: so where a full server is to refuse, the first command tried is one
 * that needs memory (HSET, ZADD), and where a script is to free memory, it is one that does not.
 *
 * Scripts are sent by digest (EVALSHA), which spares Redis the text, whose digest it would take
 * each time to find out that it knows it: a quarter of what applying the rating of one POST costs.
 * A server that does not know a script (it was started again, SCRIPT FLUSH, another took its place)
 * is sent the text (EVAL), and knows it from then on; so is one that does not take scripts by
 * digest, or not from the service's user (store_connection.c). No SCRIPT LOAD: EVAL loads it. */
#ifndef RATINGS_STORE_SCRIPTS_H
#define RATINGS_STORE_SCRIPTS_H

typedef struct {
    const char *text, *digest; /* the latter in hexadecimal, of exactly this text */
} store_script_t;

extern const store_script_t lua_read;
extern const store_script_t lua_read_vote;
extern const store_script_t lua_read_many;
extern const store_script_t lua_load_state;
extern const store_script_t lua_load_fields;
extern const store_script_t lua_apply;
extern const store_script_t lua_add_partitions;
extern const store_script_t lua_set_routing;
extern const store_script_t lua_advance;
extern const store_script_t lua_set_ranking;
extern const store_script_t lua_rank;
extern const store_script_t lua_claim;
extern const store_script_t lua_sweep;
extern const store_script_t lua_open;
extern const store_script_t lua_caught_up;
extern const store_script_t lua_request_rebuild;
extern const store_script_t lua_acquire_lease;
extern const store_script_t lua_release_lease;

#endif
