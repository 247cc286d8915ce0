#include "ticket_window.h"

#include <stdlib.h>
#include <string.h>

#define ROOM_MIN 4 /* lives */
#define WORD_BITS 64
#define WORDS (RATINGS_TICKETS / WORD_BITS)

/* ---- one life ---- */

static uint64_t *word_of_number(ratings_ticket_window_t *window, uint64_t number)
{
    return &window->counted[number / WORD_BITS % WORDS];
}

static uint64_t bit_of_number(uint64_t number)
{
    return UINT64_C(1) << number % WORD_BITS;
}

/* The bits of the numbers that were skipped are those of numbers that fall out of the window. */
static void advance_window(ratings_ticket_window_t *window, uint64_t number)
{
    if (number - window->highest >= RATINGS_TICKETS)
        memset(window->counted, 0, sizeof window->counted);
    else
        for (uint64_t skipped = window->highest + 1; skipped != number; skipped++)
            *word_of_number(window, skipped) &= ~bit_of_number(skipped);
    *word_of_number(window, number) |= bit_of_number(number);
    window->highest = number;
}

static bool check_and_note_number(ratings_ticket_window_t *window, uint64_t number)
{
    uint64_t *word = word_of_number(window, number);
    if (number > window->highest) {
        advance_window(window, number);
        return true;
    }
    if (window->highest - number >= RATINGS_TICKETS || (*word & bit_of_number(number)))
        return false;
    *word |= bit_of_number(number);
    return true;
}

/* ---- as the store has it ---- */

static void pack_word(uint64_t word, unsigned char bytes[8])
{
    for (int i = 0; i < 8; i++)
        bytes[i] = (unsigned char)(word >> (56 - 8 * i));
}

static uint64_t unpack_word(const unsigned char bytes[8])
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word = word << 8 | bytes[i];
    return word;
}

void ratings_ticket_window_pack(const ratings_ticket_window_t *window,
                                unsigned char bytes[RATINGS_TICKET_WINDOW_SIZE])
{
    pack_word(window->highest, bytes);
    pack_word((uint64_t)window->offset, bytes + 8);
    for (int i = 0; i < RATINGS_TICKETS / 8; i++)
        bytes[16 + i] = (unsigned char)(window->counted[i / 8] >> (8 * (i % 8)));
}

/* The highest number has counted, and none below 0. */
static bool is_window(ratings_ticket_window_t *window)
{
    if (window->offset < 0 ||
        !(*word_of_number(window, window->highest) & bit_of_number(window->highest)))
        return false;
    for (uint64_t bit = window->highest + 1; bit != 0 && bit < RATINGS_TICKETS; bit++)
        if (*word_of_number(window, bit) & bit_of_number(bit))
            return false;
    return true;
}

bool ratings_ticket_window_unpack(const void *bytes, size_t len, ratings_ticket_window_t *window)
{
    const unsigned char *from = bytes;
    if (len != RATINGS_TICKET_WINDOW_SIZE)
        return false;
    window->highest = unpack_word(from);
    window->offset = (int64_t)unpack_word(from + 8);
    memset(window->counted, 0, sizeof window->counted);
    for (int i = 0; i < RATINGS_TICKETS / 8; i++)
        window->counted[i / 8] |= (uint64_t)from[16 + i] << (8 * (i % 8));
    return is_window(window);
}

/* ---- all lives ---- */

/* Where the life's window is, or would be. */
static size_t place_of_life(const ratings_ticket_windows_t *windows, uint64_t life)
{
    size_t low = 0, high = windows->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (windows->window[middle].life < life)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_life_at(const ratings_ticket_windows_t *windows, size_t place, uint64_t life)
{
    return place < windows->count && windows->window[place].life == life;
}

static bool make_life_room(ratings_ticket_windows_t *windows)
{
    size_t room = windows->room ? 2 * windows->room : ROOM_MIN;
    if (windows->count < windows->room)
        return true;
    ratings_ticket_window_t *window = realloc(windows->window, room * sizeof *window);
    if (!window)
        return false;
    windows->window = window;
    windows->room = room;
    return true;
}

static bool insert_window(ratings_ticket_windows_t *windows, size_t place,
                          const ratings_ticket_window_t *window)
{
    if (!make_life_room(windows))
        return false;
    ratings_ticket_window_t *at = &windows->window[place];
    memmove(at + 1, at, (windows->count - place) * sizeof *at);
    *at = *window;
    windows->count++;
    return true;
}

/* The one whose event counted last of all is the longest ago. */
static uint64_t forget_life(ratings_ticket_windows_t *windows)
{
    ratings_ticket_window_t *oldest = windows->window;
    for (size_t i = 1; i < windows->count; i++)
        if (windows->window[i].offset < oldest->offset)
            oldest = &windows->window[i];
    uint64_t life = oldest->life;
    windows->count--;
    memmove(oldest, oldest + 1,
            (size_t)(windows->window + windows->count - oldest) * sizeof *oldest);
    return life;
}

static ratings_ticket_e begin_life(ratings_ticket_windows_t *windows,
                                   const ratings_ticket_t *ticket, int64_t offset,
                                   uint64_t *forgotten)
{
    ratings_ticket_window_t window = {ticket->life, ticket->number, offset, {0}};
    *word_of_number(&window, ticket->number) = bit_of_number(ticket->number);
    if (windows->count == RATINGS_LIVES_MAX)
        *forgotten = forget_life(windows);
    return insert_window(windows, place_of_life(windows, ticket->life), &window)
               ? RATINGS_TICKET_COUNTS
               : RATINGS_TICKET_NO_MEMORY;
}

ratings_ticket_e ratings_ticket_windows_check_and_note(ratings_ticket_windows_t *windows,
                                                       const ratings_ticket_t *ticket,
                                                       int64_t offset, uint64_t *forgotten)
{
    size_t place = place_of_life(windows, ticket->life);
    *forgotten = 0;
    if (!is_life_at(windows, place, ticket->life))
        return begin_life(windows, ticket, offset, forgotten);
    ratings_ticket_window_t *window = &windows->window[place];
    if (!check_and_note_number(window, ticket->number))
        return RATINGS_TICKET_REPEATED;
    window->offset = offset;
    return RATINGS_TICKET_COUNTS;
}

bool ratings_ticket_windows_add(ratings_ticket_windows_t *windows,
                                const ratings_ticket_window_t *window)
{
    size_t place = place_of_life(windows, window->life);
    return !is_life_at(windows, place, window->life) && windows->count < RATINGS_LIVES_MAX &&
           insert_window(windows, place, window);
}

void ratings_ticket_windows_free(ratings_ticket_windows_t *windows)
{
    free(windows->window);
    *windows = (ratings_ticket_windows_t){NULL, 0, 0};
}
