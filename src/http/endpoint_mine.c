/* GET mine: the voter's own rating of a talk */
#include "handlers.h"

#include "notes.h"
#include "position_header.h"
#include "reply.h"
#include "request_voter.h"
#include "use_case_reply.h"

static int reply_none(request_rec *r)
{
    return ratings_reply_problem(r, HTTP_NOT_FOUND, "There is no rating of this talk by you.");
}

static int read_own(request_rec *r, const ratings_server_t *server, const ratings_voter_t *voter,
                    const ratings_position_t *position, ratings_rating_t *rating)
{
    ratings_call_t call = ratings_use_case_call(r, server);
    call.position = *position;
    ratings_outcome_e outcome = ratings_read_own(&call, rating->talk_id, voter, &rating->value);
    ratings_note_call(r, &call, outcome);
    if (outcome != RATINGS_OUTCOME_DONE)
        return ratings_use_case_refuse(r, &call, outcome);
    return rating->value == RATINGS_VALUE_NONE ? reply_none(r)
                                               : ratings_reply_rating(r, HTTP_OK, rating);
}

int ratings_get_mine(request_rec *r, const ratings_server_t *server)
{
    ratings_rating_t rating;
    ratings_position_t position;
    ratings_voter_t voter;
    bool has_voter;
    int result;
    ratings_reply_privately(r);
    if (!ratings_request_voter(r, server, &voter, &has_voter, &result))
        return result;
    const char *problem = ratings_talk_id_from_query(r->args, rating.talk_id);
    if (!problem)
        problem = ratings_position_of_request(r, &position);
    if (problem)
        return ratings_reply_problem(r, HTTP_BAD_REQUEST, problem);
    return has_voter ? read_own(r, server, &voter, &position, &rating) : reply_none(r);
}
