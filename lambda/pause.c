#include "pause.h"

#include <time.h>

#define FIRST_MS 50
#define LONGEST_MS 1000

long lambda_pause_ms(unsigned failures)
{
    long ms = FIRST_MS;

    while (failures-- > 1 && ms < LONGEST_MS)
        ms *= 2;
    return ms < LONGEST_MS ? ms : LONGEST_MS;
}

void lambda_pause(long ms)
{
    struct timespec left = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};

    nanosleep(&left, NULL);
}
