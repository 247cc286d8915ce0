/* Private to the store: a command, built word by word.
 *
 *     store_words_t words;
 *     store_words_script(&words, &lua_x, 1, 4);
 *     store_word(&words, STORE_KEY_LOG);
 *     store_word_number(&words, partition);
 *     status = store_cas(store, &words, &result, why);
 *     store_words_free(&words);
 *
 * Memory that runs out is remembered: what is added then goes nowhere, and whoever sends the
 * command fails with RATINGS_NOT_ASKED. One thread. */
#ifndef RATINGS_STORE_WORDS_H
#define RATINGS_STORE_WORDS_H

#include "store_link.h"
#include "store_scripts.h"

#include <sys/queue.h>

typedef struct store_text_t store_text_t;

typedef struct {
    const char **argv;
    size_t *argvlen;
    int argc, room;
    const char *script;               /* text; NULL: it is none */
    SLIST_HEAD(, store_text_t) texts; /* copies, of which words are */
    bool out_of_memory;
} store_words_t;

/* An empty command of at most `room` words, to be freed in any case. False: out of memory. */
bool store_words_init(store_words_t *words, int room);
void store_words_free(store_words_t *words);

/* The same, and its first words: EVALSHA, the digest of `script`, `keys`. `room` is that of keys
 * and arguments. */
bool store_words_script(store_words_t *words, const store_script_t *script, int keys, int room);

/* Text that outlives the command. */
void store_word(store_words_t *words, const char *text);
void store_word_bytes(store_words_t *words, const char *bytes, size_t len);

/* A copy: of text, at most STORE_WORD_MAX bytes. */
#define STORE_WORD_MAX 512
void store_word_copy(store_words_t *words, const char *text);

/* Room for a word of `size` bytes, which the caller fills. NULL: out of memory. */
char *store_word_room(store_words_t *words, size_t size);
void store_word_number(store_words_t *words, int64_t number);
void store_word_field(store_words_t *words, const char *name, int partition); /* "name:partition" */

/* As it is sent; it lives as long as the words. */
store_command_t store_command_of(const store_words_t *words);

#endif
