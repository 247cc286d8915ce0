#ifndef RATINGS_T_SLOW_RESOLVER_H
#define RATINGS_T_SLOW_RESOLVER_H

/* A name whose server does not answer for SLOW_SECONDS. */
#define SLOW_NAME "slow.invalid"
#define SLOW_SECONDS 2

/* Names with two addresses. */
#define TWO_NAME "two.invalid"
#define TWO_FIRST "127.0.0.2"
#define TWO_SECOND "127.0.0.1"
#define NO_PORT_FIRST "no-port-first.invalid" /* NO_PORT, TWO_SECOND */
#define NO_PORT_LAST "no-port-last.invalid"   /* TWO_FIRST, NO_PORT */

/* Addresses to which no connection can be made, as this host has no port, or no address, for one.
 */
#define NO_PORT "127.0.0.3"
#define NO_PORT_6 "2001:db8::3"

#endif
