/* How long to wait before the next try. */
#ifndef RATINGS_LAMBDA_PAUSE_H
#define RATINGS_LAMBDA_PAUSE_H

/* Milliseconds after this many failures in a row: 50 after the first, doubled up to 1000. */
long lambda_pause_ms(unsigned failures);

void lambda_pause(long ms);

#endif
