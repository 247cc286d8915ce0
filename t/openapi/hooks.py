"""What schemathesis cannot know: of its failures those that are none, as docs/openapi.yaml says in words."""

import json
import re

import schemathesis
from schemathesis.core.failures import ServerError
from schemathesis.openapi.checks import EnsureResourceAvailability, RejectedPositiveData


def bytes_of(where, name):
    value = where.get(name, "") if isinstance(where, dict) else ""
    return len(value.encode()) if isinstance(value, str) else 0


def has_wide_number(value):
    """JSON's numbers have no bounds, those of the service are integers of 64 bits and doubles."""
    if isinstance(value, dict):
        return any(map(has_wide_number, value.values()))
    if isinstance(value, list):
        return any(map(has_wide_number, value))
    return isinstance(value, int) and not -(2**63) <= value < 2**63


# What JSON Schema cannot say: the sentence by which the service refuses a request that is valid by its schema, and what has to be
# true of the request then.
LIMITS = {
    # the schema counts characters
    "talkId must not be longer than 255 bytes": lambda case: max(bytes_of(case.query, "talkId"), bytes_of(case.body, "talkId")) > 255,
    "q must be 1 to 200 bytes of UTF-8 without control characters": lambda case: bytes_of(case.query, "q") > 200,
    "track must be 1 to 200 bytes of UTF-8 without control characters": lambda case: bytes_of(case.query, "track") > 200,
    # 5.0 is an integer of the schema
    "value must be an integer from 1 to 5": lambda case: isinstance(case.body.get("value"), float),
    # of members that are ignored
    "the JSON has a number that is out of range": lambda case: has_wide_number(case.body),
    "the JSON has a NUL character": lambda case: "\\u0000" in json.dumps(case.body),
    # it draws 0 as well, and takes that for valid
    "Ratings-Position is not what an answer to a rating carried.": lambda case: not re.fullmatch("v1-0[0-3][0-9a-f]{18}", case.headers["Ratings-Position"]),
    # no cursor but one that an answer had, in the same order
    "cursor must be the next of an answer that was sorted in the same way": lambda case: "cursor" in case.query,
}


def is_beyond_a_limit(case, response):
    is_so = LIMITS.get(response.json()["detail"]) if response.status_code == 400 else None
    return is_so is not None and is_so(case)


def is_not_reached(case, response):
    """No log is as long as a position that was drawn by lot, or is another one."""
    detail = response.json()["detail"] if response.status_code == 503 else ""
    return "Ratings-Position" in detail and "Ratings-Position" in (case.headers or {})


@schemathesis.hook
def filter_failure(context, failure, case, response):
    if isinstance(failure, (RejectedPositiveData, ServerError)) and is_not_reached(case, response):
        return False
    if isinstance(failure, RejectedPositiveData):
        return not is_beyond_a_limit(case, response)
    # a POST that repeats an Idempotency-Key is answered as before, also when the rating has been withdrawn since
    return not (isinstance(failure, EnsureResourceAvailability) and case.operation.path == "/ratings/mine")
