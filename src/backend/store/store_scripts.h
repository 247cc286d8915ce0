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
 * Scripts are sent whole (EVAL) each time, not by digest (EVALSHA): Redis keeps a script by its
 * text, so that costs its bytes alone, once a batch, and survives SCRIPT FLUSH and restarts without
 * a second try. */
#ifndef RATINGS_STORE_SCRIPTS_H
#define RATINGS_STORE_SCRIPTS_H

extern const char lua_read[];
extern const char lua_read_vote[];
extern const char lua_read_many[];
extern const char lua_load_state[];
extern const char lua_load_barred[];
extern const char lua_apply[];
extern const char lua_add_partitions[];
extern const char lua_set_routing[];
extern const char lua_advance[];
extern const char lua_set_ranking[];
extern const char lua_rank[];
extern const char lua_claim[];
extern const char lua_sweep[];
extern const char lua_open[];
extern const char lua_caught_up[];
extern const char lua_request_rebuild[];
extern const char lua_acquire_lease[];
extern const char lua_release_lease[];

#endif
