#include "store_words.h"

#include "store_keys.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_BYTES 4064 /* with the rest, a little less than a page */

/* Copies of texts, one after the other. They never move, as words point to them. */
struct store_text_t {
    SLIST_ENTRY(store_text_t) link;
    size_t size, used;
    char bytes[];
};

bool store_words_init(store_words_t *words, int room)
{
    *words = (store_words_t){.room = room};
    words->argv = malloc((size_t)room * sizeof *words->argv);
    words->argvlen = malloc((size_t)room * sizeof *words->argvlen);
    words->out_of_memory = !words->argv || !words->argvlen;
    return !words->out_of_memory;
}

void store_words_free(store_words_t *words)
{
    while (!SLIST_EMPTY(&words->texts)) {
        store_text_t *text = SLIST_FIRST(&words->texts);
        SLIST_REMOVE_HEAD(&words->texts, link);
        free(text);
    }
    free(words->argv);
    free(words->argvlen);
}

bool store_words_script(store_words_t *words, const store_script_t *script, int keys, int room)
{
    bool made = store_words_init(words, 3 + room);
    words->script = script->text;
    store_word(words, "EVALSHA");
    store_word(words, script->digest);
    store_word_number(words, keys);
    return made;
}

void store_word_bytes(store_words_t *words, const char *bytes, size_t len)
{
    if (words->out_of_memory)
        return;
    if (words->argc == words->room)
        abort(); /* the callers count the room: a mistake of theirs, not an input */
    words->argv[words->argc] = bytes;
    words->argvlen[words->argc++] = len;
}

void store_word(store_words_t *words, const char *text)
{
    store_word_bytes(words, text, strlen(text));
}

/* Room for `size` bytes; NULL: out of memory. */
static char *text_room(store_words_t *words, size_t size)
{
    store_text_t *text = SLIST_FIRST(&words->texts);
    if (!text || text->size - text->used < size) {
        size_t bytes = size > TEXT_BYTES ? size : TEXT_BYTES;
        text = malloc(sizeof *text + bytes);
        words->out_of_memory |= !text;
        if (!text)
            return NULL;
        *text = (store_text_t){.size = bytes};
        SLIST_INSERT_HEAD(&words->texts, text, link);
    }
    char *at = text->bytes + text->used;
    text->used += size;
    return at;
}

void store_word_copy(store_words_t *words, const char *text)
{
    size_t size = strlen(text) + 1;
    if (size > STORE_WORD_MAX + 1)
        abort(); /* as above */
    char *copy = text_room(words, size);
    if (copy)
        store_word_bytes(words, memcpy(copy, text, size), size - 1);
}

char *store_word_room(store_words_t *words, size_t size)
{
    char *room = text_room(words, size);
    if (room)
        store_word_bytes(words, room, size);
    return room;
}

void store_word_number(store_words_t *words, int64_t number)
{
    char text[24];
    (void)snprintf(text, sizeof text, "%" PRId64, number);
    store_word_copy(words, text);
}

void store_word_field(store_words_t *words, const char *name, int partition)
{
    char text[STORE_FIELD_SIZE];
    store_field(text, name, partition);
    store_word_copy(words, text);
}

store_command_t store_command_of(const store_words_t *words)
{
    return (store_command_t){.argc = words->argc,
                             .argv = words->argv,
                             .argvlen = words->argvlen,
                             .script = words->script};
}
