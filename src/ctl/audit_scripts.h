/* Private to audit_store.c: the scripts that Redis runs. The text of lua_NAME is scripts/NAME.lua,
 * whose top says what it takes, replies and writes; build/embed-lua makes C of it. */
#ifndef RATINGS_AUDIT_SCRIPTS_H
#define RATINGS_AUDIT_SCRIPTS_H

extern const char lua_audit_read[];
extern const char lua_audit_ranked[];
extern const char lua_audit_repair[];
extern const char lua_audit_request_rebuild[];

#endif
