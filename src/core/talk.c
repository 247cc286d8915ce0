#include "talk.h"

#include "json.h"

#include <stdlib.h>
#include <string.h>

/* ---- one talk ---- */

/* False: memory ran out, or the text is not UTF-8. */
static bool add_text(json_t *object, const char *name, const char *text)
{
    return !text || json_object_set_new(object, name, json_string(text)) == 0;
}

static bool add_talk_time(json_t *object, const char *name, int64_t time)
{
    char text[RATINGS_TIME_TEXT_SIZE];

    return !ratings_time_print(time, text) || add_text(object, name, text);
}

/* A text that is no array is none of names. */
static bool add_names(json_t *object, const char *name, const char *text)
{
    json_t *names = text ? json_loads(text, JSON_REJECT_DUPLICATES, NULL) : NULL;

    if (json_is_array(names))
        return json_object_set_new(object, name, names) == 0;
    json_decref(names);
    return true;
}

char *ratings_talk_json(const ratings_talk_t *talk)
{
    json_t *object = json_object();

    if (object && add_text(object, "talkId", talk->id) && add_text(object, "title", talk->title) &&
        add_names(object, "speakers", talk->speakers) && add_text(object, "room", talk->room) &&
        add_text(object, "track", talk->track) && add_text(object, "language", talk->language) &&
        add_text(object, "url", talk->url) && add_text(object, "day", talk->day) &&
        add_talk_time(object, "startsAt", talk->starts_at) &&
        add_talk_time(object, "endsAt", talk->ends_at) &&
        add_talk_time(object, "opensAt", talk->window.opens_at) &&
        add_talk_time(object, "closesAt", talk->window.closes_at))
        return ratings_json_write(object, 0);
    json_decref(object);
    return NULL;
}

static size_t length_of_names(const json_t *names)
{
    size_t i, length = 0;
    json_t *name;

    json_array_foreach(names, i, name) length += json_string_length(name) + sizeof ", ";
    return length;
}

/* `at` is the terminator of `text`, which has room. Returns the new one. */
static char *append_name(const char *text, char *at, const json_t *name)
{
    if (!json_is_string(name))
        return at;
    if (at > text)
        at = stpcpy(at, ", ");
    return stpcpy(at, json_string_value(name));
}

char *ratings_talk_speakers_text(const ratings_talk_t *talk)
{
    json_t *names = talk->speakers ? json_loads(talk->speakers, 0, NULL) : NULL;
    char *text = json_array_size(names) > 0 ? calloc(1, length_of_names(names) + 1) : NULL;
    char *at = text;
    size_t i;
    json_t *name;

    if (text)
        json_array_foreach(names, i, name) at = append_name(text, at, name);
    json_decref(names);
    return text;
}

/* ---- the order of titles ---- */

static int compare_titles(const char *key, const char *id, const ratings_talk_t *talk)
{
    int order = strncmp(key, talk->title_key, RATINGS_ORDER_KEY_MAX);

    return order != 0 ? order : strcmp(id, talk->id);
}

static int compare_by_title(const void *a, const void *b)
{
    const ratings_talk_t *talk = a;

    return compare_titles(talk->title_key, talk->id, b);
}

void ratings_talk_list_sort(ratings_talk_list_t *list)
{
    if (list->count > 0)
        qsort(list->talks, (size_t)list->count, sizeof *list->talks, compare_by_title);
}

/* How many talks of the list come no later than the cursor's, by title. */
static int talks_up_to(const ratings_talk_list_t *list, const ratings_talk_cursor_t *cursor)
{
    int low = 0, high = list->count;

    while (low < high) {
        int middle = low + (high - low) / 2;

        if (compare_titles(cursor->title_key, cursor->talk_id, &list->talks[middle]) >= 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* ---- which talks ---- */

static bool has_words(const ratings_talk_t *talk, const char *words)
{
    size_t length = strlen(talk->search_key);

    for (words += strspn(words, " "); *words != '\0'; words += strspn(words, " ")) {
        size_t len = strcspn(words, " ");

        if (!memmem(talk->search_key, length, words, len))
            return false;
        words += len;
    }
    return true;
}

static bool is_wanted_text(const char *wanted, const char *text)
{
    return wanted[0] == '\0' || (text && strcmp(wanted, text) == 0);
}

static bool is_wanted_talk(const ratings_talk_t *talk, const ratings_talk_query_t *query,
                           const char *words)
{
    return is_wanted_text(query->track, talk->track) && is_wanted_text(query->day, talk->day) &&
           (query->q[0] == '\0' || has_words(talk, words));
}

/* ---- pages ---- */

/* Talks come in the order of their titles: each goes behind those of its rank. One more than the
 * limit is kept, which tells that there is more. */
static void insert_into_page(ratings_talk_page_t *page, int limit, const ratings_talk_t *talk,
                             int64_t rank)
{
    int at = page->count;

    while (at > 0 && page->ranks[at - 1] > rank)
        at--;
    if (at > limit)
        return;
    size_t moved = (size_t)(page->count - at - (page->count > limit ? 1 : 0));
    memmove(&page->talks[at + 1], &page->talks[at], moved * sizeof page->talks[0]);
    memmove(&page->ranks[at + 1], &page->ranks[at], moved * sizeof page->ranks[0]);
    page->talks[at] = talk;
    page->ranks[at] = rank;
    page->count += page->count > limit ? 0 : 1;
}

static int64_t rank_of(const ratings_talk_list_t *list, ratings_talk_order_e order,
                       const int64_t *ranks, int index)
{
    if (order == RATINGS_TALKS_BY_START)
        return list->talks[index].starts_at;
    return order == RATINGS_TALKS_BY_SCORE ? ranks[index] : 0;
}

void ratings_talk_list_page(const ratings_talk_list_t *list, const ratings_talk_query_t *query,
                            const char *words, const int64_t *ranks, ratings_talk_page_t *page)
{
    const ratings_talk_cursor_t *after = query->has_cursor ? &query->cursor : NULL;
    int first = after ? talks_up_to(list, after) : 0;

    page->count = 0;
    for (int i = 0; i < list->count; i++) {
        int64_t rank = rank_of(list, query->order, ranks, i);

        if (after && (rank < after->rank || (rank == after->rank && i < first)))
            continue;
        if (is_wanted_talk(&list->talks[i], query, words))
            insert_into_page(page, query->limit, &list->talks[i], rank);
    }
    page->has_more = page->count > query->limit;
    page->count -= page->has_more ? 1 : 0;
}

void ratings_talk_page_cursor(const ratings_talk_page_t *page, ratings_talk_order_e order,
                              char text[RATINGS_CURSOR_TEXT_SIZE])
{
    const ratings_talk_t *last = page->talks[page->count - 1];
    ratings_talk_cursor_t cursor = {.rank = page->ranks[page->count - 1]};

    (void)strncat(cursor.title_key, last->title_key, RATINGS_ORDER_KEY_MAX);
    (void)strncat(cursor.talk_id, last->id, RATINGS_TALK_ID_MAX);
    ratings_talk_cursor_print(&cursor, order, text);
}
