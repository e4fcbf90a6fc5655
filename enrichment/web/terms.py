"""
What the caller of an enrichment wants to spend, and how old answers may be.
"""

from collections.abc import Collection
from typing import Final

import schemas
from enrichment.errors import InvalidPlan
from enrichment.jobs.model import NO_TERMS, Terms
from enrichment.modules.table import MODULES
from enrichment.sources.costs import limit_in_millionths
from enrichment.web.bodies import json_pointer
from enrichment.web.hints import shown

FORCED: Final = "With `force` no cached answer is used, of whatever age; leave out one of the two."


def terms_of(body: schemas.StartRequest | schemas.BatchRequest | schemas.BatchQuery, modules: Collection[str]) -> Terms:
    """The terms of a request that runs these modules. Raise `InvalidPlan` for an age that has no meaning."""
    if body.max_age is not None and body.force:
        raise InvalidPlan(FORCED, pointer="#/max_age")
    if body.max_cost is None and body.max_age is None and not body.stale_if_error:
        return NO_TERMS  # which all jobs share
    by_module = body.max_age if isinstance(body.max_age, dict) else {}
    used = {*modules, *(need for module_id in modules for need in MODULES[module_id].needs)}
    for module_id in by_module:
        if module_id not in used:
            fault = "is neither run nor an input of what is run" if module_id in MODULES else "is not a module"
            possible = ", ".join(each for each in MODULES if each in used)
            pointer = json_pointer(["max_age", module_id[:60]])
            raise InvalidPlan(f"{shown(module_id)} {fault}; possible are {possible}.", pointer=pointer)
    return Terms(
        max_cost=None if body.max_cost is None else limit_in_millionths(body.max_cost),
        max_age=None if isinstance(body.max_age, dict) else body.max_age,
        max_ages=by_module,
        stale_if_error=body.stale_if_error or False,
    )
