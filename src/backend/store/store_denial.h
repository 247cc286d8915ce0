/* Private to the store: which command or key Redis denies to the service's user. */
#ifndef RATINGS_STORE_DENIAL_H
#define RATINGS_STORE_DENIAL_H

/* Which command an error reply of Redis denies, or 0 if it is about something else: `text` names it
 * in parentheses at its end, as the scripts do, or quotes it, as Redis does. Any thread. */
int store_denied(const char *text);

/* How that is told (static, fit for a client); NULL for 0. */
const char *store_denial_text(int denied);

#endif
