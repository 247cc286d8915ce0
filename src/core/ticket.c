#include "ticket.h"

#include "number.h"

#include <string.h>

#define WORD_SIZE ((size_t)8)    /* bytes */
#define WORD_LEN (2 * WORD_SIZE) /* digits */
#define NUMBER_AT (WORD_LEN + 1) /* after the '-' */
#define TEXT_LEN (NUMBER_AT + WORD_LEN)

_Static_assert(TEXT_LEN + 1 == RATINGS_TICKET_TEXT_SIZE, "a ticket's text has its size");

static void print_word(uint64_t word, char *text)
{
    unsigned char bytes[WORD_SIZE];
    for (size_t i = 0; i < WORD_SIZE; i++)
        bytes[i] = (unsigned char)(word >> (8 * (WORD_SIZE - 1 - i)));
    ratings_hex_write(bytes, WORD_SIZE, text);
}

static bool parse_word(const char *text, uint64_t *word)
{
    unsigned char bytes[WORD_SIZE];
    uint64_t value = 0;
    bool is_read = ratings_hex_read(text, WORD_SIZE, bytes);
    for (size_t i = 0; i < WORD_SIZE; i++)
        value = value << 8 | bytes[i];
    *word = value;
    return is_read;
}

void ratings_life_print(uint64_t life, char text[RATINGS_LIFE_TEXT_SIZE])
{
    print_word(life, text);
}

bool ratings_life_parse(const char *text, size_t len, uint64_t *life)
{
    return len == WORD_LEN && parse_word(text, life) && *life != 0;
}

void ratings_ticket_print(const ratings_ticket_t *ticket, char text[RATINGS_TICKET_TEXT_SIZE])
{
    print_word(ticket->life, text);
    text[WORD_LEN] = '-';
    print_word(ticket->number, text + NUMBER_AT);
}

bool ratings_ticket_parse(const char *text, size_t len, ratings_ticket_t *ticket)
{
    if (len == TEXT_LEN && text[WORD_LEN] == '-' && parse_word(text, &ticket->life) &&
        parse_word(text + NUMBER_AT, &ticket->number) && ticket->life != 0)
        return true;
    *ticket = (ratings_ticket_t){0, 0};
    return false;
}
