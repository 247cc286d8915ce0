#include "flight.h"

#include <string.h>

/* One who waits for the call that another makes. */
struct ratings_passenger_t {
    pthread_cond_t landed;
    bool has_landed;
    ratings_landing_t landing;
    ratings_passenger_t *next, **pointer;
};

void ratings_flights_init(ratings_flights_t *flights)
{
    *flights = (ratings_flights_t){0};
    pthread_mutex_init(&flights->lock, NULL);
    pthread_condattr_init(&flights->monotonic);
    pthread_condattr_setclock(&flights->monotonic, CLOCK_MONOTONIC);
}

void ratings_flights_destroy(ratings_flights_t *flights)
{
    pthread_condattr_destroy(&flights->monotonic);
    pthread_mutex_destroy(&flights->lock);
}

/* ---- with the lock held ---- */

static ratings_flight_t *find(const ratings_flights_t *flights,
                              const ratings_histogram_t *histogram)
{
    ratings_flight_t *flight = flights->flights;

    while (flight && memcmp(flight->histogram, histogram, sizeof *histogram) != 0)
        flight = flight->next;
    return flight;
}

static void depart(ratings_flights_t *flights, ratings_flight_t *flight)
{
    flight->next = flights->flights;
    flight->pointer = &flights->flights;
    if (flight->next)
        flight->next->pointer = &flight->next;
    flights->flights = flight;
}

static void board(ratings_flight_t *flight, ratings_passenger_t *passenger)
{
    passenger->next = flight->passengers;
    passenger->pointer = &flight->passengers;
    if (passenger->next)
        passenger->next->pointer = &passenger->next;
    flight->passengers = passenger;
}

/* One who waits no longer: the call goes on without him. */
static void get_off(ratings_passenger_t *passenger)
{
    *passenger->pointer = passenger->next;
    if (passenger->next)
        passenger->next->pointer = passenger->pointer;
}

static void travel(ratings_flights_t *flights, ratings_flight_t *flight, int64_t deadline,
                   ratings_landing_t *landing)
{
    ratings_passenger_t self = {.has_landed = false};
    struct timespec until = {(time_t)(deadline / 1000000), (long)(deadline % 1000000) * 1000};
    int error = 0;

    pthread_cond_init(&self.landed, &flights->monotonic);
    board(flight, &self);
    while (!self.has_landed && error == 0)
        error = pthread_cond_timedwait(&self.landed, &flights->lock, &until);
    if (!self.has_landed)
        get_off(&self);
    *landing = self.landing;
    pthread_cond_destroy(&self.landed);
}

/* ---- use ---- */

bool ratings_flight_lead(ratings_flights_t *flights, ratings_flight_t *flight,
                         const ratings_histogram_t *histogram, int64_t deadline,
                         ratings_landing_t *landing)
{
    pthread_mutex_lock(&flights->lock);
    ratings_flight_t *other = find(flights, histogram);

    if (other) {
        travel(flights, other, deadline, landing);
    } else {
        *flight = (ratings_flight_t){.histogram = histogram};
        depart(flights, flight);
    }
    pthread_mutex_unlock(&flights->lock);
    return !other;
}

void ratings_flight_land(ratings_flights_t *flights, ratings_flight_t *flight,
                         const ratings_landing_t *landing)
{
    pthread_mutex_lock(&flights->lock);
    *flight->pointer = flight->next;
    if (flight->next)
        flight->next->pointer = flight->pointer;
    for (ratings_passenger_t *passenger = flight->passengers; passenger;
         passenger = passenger->next) {
        passenger->landing = *landing;
        passenger->has_landed = true;
        pthread_cond_signal(&passenger->landed);
    }
    pthread_mutex_unlock(&flights->lock);
}
