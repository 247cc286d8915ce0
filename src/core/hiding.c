#include "hiding.h"

#include "json.h"

ratings_hidden_t ratings_hidden_by(ratings_hide_t rule, const ratings_window_t *window,
                                   const ratings_histogram_t *histogram, int64_t now)
{
    /* a sum beyond 64 bits is shown as the largest number */
    ratings_hidden_t hidden = {.total_count = INT64_MAX, .until = RATINGS_NEVER};

    (void)ratings_histogram_total(histogram, &hidden.total_count);
    if (rule == RATINGS_HIDE_UNTIL_CLOSED) {
        hidden.is_hidden = now < window->closes_at;
        hidden.until = window->closes_at;
    } else {
        hidden.is_hidden = hidden.total_count < rule;
    }
    return hidden.is_hidden ? hidden
                            : (ratings_hidden_t){.is_hidden = false, .until = RATINGS_NEVER};
}

ratings_hidden_t ratings_hidden_by_any(const ratings_hide_rules_t *rules,
                                       const ratings_window_t *window,
                                       const ratings_histogram_t *histogram, int64_t now)
{
    ratings_hidden_t all = {.is_hidden = false, .until = RATINGS_NEVER};

    for (int i = 0; i < RATINGS_HIDE_RULES; i++) {
        ratings_hidden_t one = ratings_hidden_by(rules->rule[i], window, histogram, now);

        if (one.is_hidden)
            all = all.is_hidden ? (ratings_hidden_t){true, one.total_count, RATINGS_NEVER} : one;
    }
    return all;
}

char *ratings_hidden_reply(const ratings_hidden_t *hidden)
{
    char until[RATINGS_TIME_TEXT_SIZE];
    json_t *reply =
        ratings_time_print(hidden->until, until)
            ? json_pack("{s:b, s:I, s:s}", "hidden", 1, "totalCount",
                        (json_int_t)hidden->total_count, "until", until)
            : json_pack("{s:b, s:I}", "hidden", 1, "totalCount", (json_int_t)hidden->total_count);

    return ratings_json_write(reply, 0);
}
