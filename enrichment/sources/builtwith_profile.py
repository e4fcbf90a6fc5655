"""
A website's profile by BuiltWith, read: the technologies in use, each once, with where and when they were seen.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import msgspec

from enrichment.modules.answers import Technology, TechStack
from enrichment.sources.failures import NotFound, ParseError
from enrichment.sources.messages import HttpResponse
from enrichment.sources.organizations import OTHER, known

LIVE_SECONDS: Final = 45 * 86_400.0
"A technology counts as in use if it was seen at most so long before the last visit to the website."
MAX_TECHNOLOGIES: Final = 250

# fmt: off
CATEGORIES: Final = {
    "ads": "Advertising", "analytics": "Analytics", "cdn": "CDN", "cdns": "CDN", "cms": "CMS", "feeds": "Feeds",
    "framework": "Framework", "hosting": "Hosting", "javascript": "Frontend", "media": "Video", "mx": "Email",
    "ns": "DNS", "payment": "Payments", "shop": "Ecommerce", "ssl": "TLS", "web server": "Web Server",
}
# fmt: on
"Our categories by tag. Other tags, such as `widgets`, say less than the vendor's own categories."


class Detection(msgspec.Struct, frozen=True, rename="pascal"):
    """A technology on a part of a website; times are in milliseconds since the epoch."""

    name: str | None = None
    tag: str | None = None
    categories: tuple[str | None, ...] | None = None
    first_detected: float | None = None
    last_detected: float | None = None


class Path(msgspec.Struct, frozen=True, rename="pascal"):
    """A part of a website: a subdomain, or the internal pages (`dd`) of one."""

    sub_domain: str | None = None
    technologies: tuple[Detection | None, ...] | None = None


class Profile(msgspec.Struct, frozen=True, rename="pascal"):
    """The parts of a website."""

    paths: tuple[Path | None, ...] | None = None


class Result(msgspec.Struct, frozen=True, rename="pascal"):
    """The profile of a domain."""

    lookup: str | None = None
    last_indexed: float | None = None
    result: Profile | None = None


class Results(msgspec.Struct, frozen=True, rename="pascal"):
    """The profiles of several domains."""

    results: tuple[Result | None, ...]


class Seen(msgspec.Struct, frozen=True):
    """A technology, and where and when it was seen; times are in seconds since the epoch, 0 if not known."""

    detection: Detection
    subdomain: str
    first: float
    last: float


def read_profile(response: HttpResponse, domain: str) -> tuple[TechStack, float | None]:
    """
    Return the technologies in use, those of the main website first, and when the website was last visited.

    Raises `NotFound` if there are none, `ParseError` for a profile of another domain.
    """
    results = [result for result in response.json(Results).results if result]
    own = [result for result in results if result.lookup is None or _is_same(result.lookup, domain)]
    if results and not own:
        raise ParseError("Its answer is about another domain.")
    found: dict[str, Seen] = {}
    for seen in _detections(own):
        name = seen.detection.name or ""
        found[name] = _merged(found[name], seen) if name in found else seen
    if not found:
        raise NotFound("It does not know this company.")
    visited_at = max(_seconds(result.last_indexed) for result in own) or max(seen.last for seen in found.values())
    live = [seen for seen in found.values() if not seen.last or seen.last >= visited_at - LIVE_SECONDS]
    if not live:
        raise NotFound("It has seen no technologies on this website lately.")
    live.sort(key=lambda seen: bool(seen.subdomain))
    technologies = tuple(_technology(seen, domain) for seen in live[:MAX_TECHNOLOGIES])
    return TechStack(technologies=technologies), visited_at or None


def _is_same(lookup: str, domain: str) -> bool:
    return lookup.strip().lower().removeprefix("www.") == domain


def _detections(results: list[Result]) -> Iterator[Seen]:
    """Every technology on every part of the website."""
    for result in results:
        for path in (result.result.paths if result.result else None) or ():
            for detection in (path.technologies if path else None) or ():
                if path and detection and detection.name:
                    first, last = _seconds(detection.first_detected), _seconds(detection.last_detected)
                    yield Seen(detection, path.sub_domain or "", first, last)


def _merged(one: Seen, other: Seen) -> Seen:
    """The same technology on two parts: the main website stands for both, if it is one of them."""
    return Seen(
        one.detection,
        min(one.subdomain, other.subdomain, key=bool),
        min(one.first or other.first, other.first or one.first),
        max(one.last, other.last),
    )


def _technology(seen: Seen, domain: str) -> Technology:
    host = f"{seen.subdomain}.{domain}" if seen.subdomain else domain
    days = "".join(f" {word} {_day(moment)}" for word, moment in (("from", seen.first), ("to", seen.last)) if moment)
    name = seen.detection.name or ""
    return Technology(name=name, category=_category(seen.detection, name), evidence=(f"seen on {host}{days}",))


def _category(detection: Detection, name: str) -> str:
    """Our category of the product or of its tag, else the vendor's own one."""
    if product := known(name):
        return product.category
    tag = (detection.tag or "").strip()
    own = next((category for category in detection.categories or () if category), "")
    return CATEGORIES.get(tag.casefold()) or own or tag.title() or OTHER


def _seconds(milliseconds: float | None) -> float:
    return max(milliseconds or 0.0, 0.0) / 1_000


def _day(moment: float) -> str:
    try:
        return f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%d}"
    except (ValueError, OverflowError, OSError):
        raise ParseError("Its answer has a time that cannot be read.") from None
