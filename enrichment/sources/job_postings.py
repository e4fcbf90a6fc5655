"""
Open roles in the markup of a careers page: JSON-LD of type JobPosting (https://schema.org/JobPosting).
"""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from enrichment.sources.company_names import core_name, may_be_same
from enrichment.sources.job_boards import Role
from enrichment.sources.json_ld import first, strings, types_of
from enrichment.sources.markup import Markup
from enrichment.sources.site_facts import domain_of

DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
OCCUPATION_CODE: Final = re.compile(r"^\d\d-\d{4}(?:\.\d\d)?\s*-?\s*", re.ASCII)
"A code of O*NET, with which the category of a role may begin."
DAY_SECONDS: Final = 86_400


def read_roles(
    markup: Markup, domain: str, names: Sequence[str], now: float, *, is_own_page: bool = True
) -> list[Role]:
    """
    Return the roles on a page that are still open.

    Those of other companies are left out: `domain` and `names` are the company's. A page of a job market has them; if
    the page is not the company's own, a role has to name the company, and not just one of a similar name.
    """
    is_own = _is_own if is_own_page else _is_named
    found: dict[tuple[str | None, ...], Role] = {}
    for item in (*markup.items, *markup.nested_items):
        if "JobPosting" in types_of(item) and is_own(item.get("hiringOrganization"), domain, names):
            ends_at = timestamp_of(first(item.get("validThrough")))
            if ends_at is None or ends_at + DAY_SECONDS > now:
                found.setdefault(_key(item), _role(item))
    return list(found.values())


def timestamp_of(text: str | None) -> float | None:
    """Return the beginning of an ISO date's day in UTC, in seconds since the epoch; None if it is not a date."""
    day = DAY.match(text or "")
    try:
        return datetime.fromisoformat(day[0]).replace(tzinfo=UTC).timestamp() if day else None
    except ValueError:
        return None


def _role(item: Mapping[str, Any]) -> Role:
    places = [each.upper() for each in strings(item.get("jobLocationType"))]
    located = item.get("jobLocation") is not None
    return Role(
        title=first(item.get("title")) or "",
        department=_department(item),
        remote="TELECOMMUTE" in places if places or located else None,
        posted_at=timestamp_of(first(item.get("datePosted"))),
        text=" ".join(text for name in ("description", "skills", "qualifications") for text in strings(item.get(name))),
    )


def _department(item: Mapping[str, Any]) -> str | None:
    """The department, for which schema.org has no property of its own: that of the company, or the role's category."""
    organization = item.get("hiringOrganization")
    department = organization.get("department") if isinstance(organization, dict) else None
    name = first(department.get("name") if isinstance(department, dict) else department)
    return name or OCCUPATION_CODE.sub("", first(item.get("occupationalCategory")) or "") or None


def _is_own(organization: object, domain: str, names: Sequence[str]) -> bool:
    """Whether the organization that hires is the company, by its address or its name; so it is if it has neither."""
    about = organization if isinstance(organization, dict) else {"name": organization}
    domains = {domain_of(url) for key in ("url", "sameAs", "@id") for url in strings(about.get(key))} - {""}
    hiring = first(about.get("name"))
    if hiring and any(may_be_same(hiring, name) for name in names):
        return True
    return domain in domains or not (domains or hiring)


def _is_named(organization: object, domain: str, names: Sequence[str]) -> bool:
    """Whether the organization that hires has the company's address or the same name but for the legal form."""
    about = organization if isinstance(organization, dict) else {"name": organization}
    domains = {domain_of(url) for key in ("url", "sameAs", "@id") for url in strings(about.get(key))} - {""}
    hiring = core_name(first(about.get("name")) or "")
    return domain in domains or (bool(hiring) and hiring in [core_name(name) for name in names])


def _key(item: Mapping[str, Any]) -> tuple[str | None, ...]:
    """What tells two roles apart: the address of the posting, or what it says."""
    identifier = item.get("identifier")
    number = identifier.get("value") if isinstance(identifier, dict) else identifier
    return first(item.get("url")), str(number), first(item.get("title")), str(item.get("jobLocation"))
