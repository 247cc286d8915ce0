/* What of Redis is refused to the service, as its error replies say. */
#ifndef RATINGS_BACKEND_STORE_REFUSAL_H
#define RATINGS_BACKEND_STORE_REFUSAL_H

/* Which command an error reply of Redis denies, or 0 if it is about something else: `text` names it
 * in parentheses at its end, as the scripts do, or quotes it, as Redis does. Any thread. */
int store_refused(const char *text);

#endif
