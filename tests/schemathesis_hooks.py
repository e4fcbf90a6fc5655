"""
What Schemathesis has to know that the OpenAPI document cannot say: `SCHEMATHESIS_HOOKS=tests.schemathesis_hooks`.
"""

from typing import Any, Final

import schemathesis
from hypothesis import strategies as st
from schemathesis.core.failures import AcceptedNegativeData, Failure
from schemathesis.openapi.checks import RejectedPositiveData

WEBSITES: Final = st.sampled_from(["a.com", "Costco.com", "https://www.target.com/", "http://acme.com:8080/x?y"])
DOMAINS: Final = WEBSITES | st.sampled_from(["jane@acme.co.uk", "bücher.example"])
NOT_IN_A_SCHEMA: Final = {
    "invalid_plan": "modules have to be in the waves, and `max_age` excludes `force`",
    "contradictory_request": "two parts exclude each other",
    "unreadable_profile": "a profile has to mean something",
    "invalid_profile": "a condition has to be possible",
    "invalid_table": "a column has to hold domains",
    "target_too_long": "its limit is one of bytes, for the whole path and query",
}
"Codes of the refusals of requests that fit their schemas."

schemathesis.openapi.format("company-domain", DOMAINS)
schemathesis.openapi.format("company-website", WEBSITES)


@schemathesis.hook
def filter_failure(
    context: schemathesis.HookContext,
    failure: Failure,
    case: schemathesis.Case[Any],
    response: schemathesis.Response,
) -> bool:
    """
    Drop the failure if a request is refused for a reason that no schema could have told.

    Also if what does not fit its schema is refused by a status that Schemathesis does not expect, as it may be large;
    or if it is a null in the place of an optional body, which the description of the body allows.
    """
    if isinstance(failure, RejectedPositiveData):
        return response.json()["code"] not in NOT_IN_A_SCHEMA
    if isinstance(failure, AcceptedNegativeData):
        return response.status_code not in (413, 414, 431) and case.body is not None
    return True
