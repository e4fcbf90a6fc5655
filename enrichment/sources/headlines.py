"""
Events from headlines: a headline is evidence that something happened, and no more.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final

import msgspec

from enrichment.modules.answers import EventType, TriggerEvent
from enrichment.sources.company_names import is_mentioned

MAX_EVENTS: Final = 20
MAX_HEADLINE: Final = 300
MAX_AGE_DAYS: Final = 365
SAME_EVENT_DAYS: Final = 7
"Reports of the same kind that are not further apart are taken for reports of one event."

LEADER: Final = r"(?:c[efimopt]o|chief|president|chair(?:man|woman|person)?|director|head of|[se]?vp|vice president)"
FIGURES: Final = r"results|earnings|revenues?|profits?|loss"
# fmt: off
EVENT_PATTERNS: Final[tuple[tuple[EventType, tuple[str, ...]], ...]] = (
    ("leadership_change", (
        rf"(?:appoint|name|hire|promote|tap)(?:s|d|ed)?\b[^.;]*?\b{LEADER}\b",
        rf"{LEADER}\b[^.;]*?\b(?:steps? down|resigns?|retires?|departs?|to leave|leaves|ousted)\b",
        rf"new {LEADER}\b",
    )),
    ("acquisition", (
        r"acquire[sd]?\b", r"acquisition\b", r"to buy\b", r"buys\b", r"takes? over\b", r"takeover\b", r"merger\b",
        r"merge[sd]? with\b",
    )),
    ("funding", (
        r"raise[sd]? [$€£]", r"raise[sd]? [\d.]+ ?(?:million|billion|m\b|bn\b)", r"funding round\b", r"series [a-h]\b",
        r"(?:closes|secures|lands) [^.;]*\b(?:funding|round)\b",
        r"(?:prices|launches|files for|files) [^.;]*?\b(?:ipo|initial public offering)\b",
    )),
    ("restructuring", (
        r"layoffs?\b", r"lays? off\b", r"job cuts\b", r"restructur", r"reorgani[sz]", r"bankruptcy\b", r"chapter 11\b",
        r"spins? off\b", r"spin-?off\b", r"(?:cuts?|cutting|slash(?:es)?|eliminates?)\b[^.;]*?\bjobs\b",
    )),
    ("earnings", (
        rf"(?:reports?|posts?|announces?|publishes)\b[^;]*?\b(?:quarter(?:ly)?|{FIGURES})\b",
        rf"q[1-4]\b[^;]*?\b(?:sales|{FIGURES})\b", r"full[- ]year results\b",
        r"annual results\b",
    )),
    ("partnership", (
        r"partners? with\b", r"partnership\b", r"teams? up\b", r"collaborat(?:es|ion)\b", r"alliance\b",
        r"joint venture\b",
    )),
    ("expansion", (
        r"expands?\b", r"expansion\b", r"enters\b[^.;]*?\bmarkets?\b",
        r"opens?\b[^.;]*?\b(?:office|store|plant|factory|hub|warehouse|location|headquarters|facility|cent(?:er|re))s?\b",
    )),
    ("product_launch", (
        r"launch(?:es|ed)?\b", r"unveil(?:s|ed)?\b", r"introduce[sd]?\b", r"rolls? out\b", r"releases\b",
    )),
)
# fmt: on
EVENTS: Final = tuple(
    (kind, re.compile(rf"\b(?:{'|'.join(patterns)})", re.IGNORECASE)) for kind, patterns in EVENT_PATTERNS
)
SUBJECT_FIRST: Final = frozenset({"funding", "restructuring", "earnings", "expansion", "product_launch"})
"In headlines about these, the company whose event it is stands before the verb."
UNCERTAIN: Final = re.compile(
    r"\?|\b(?:may|might|could|would|rumou?r(?:s|ed)?|in talks|considers|considering|weighs|explores|reportedly"
    r"|expected to|plans? to|set to|why|how|best|top \d+|lawsuit|sues|stock (?:price|falls|rises|jumps|drops)"
    r"|shares (?:of|in|fall|rise|jump|drop|acquired|sold|bought)|position|stake in|price target|dividend)\b",
    re.IGNORECASE,
)
"What is not known to have happened, and reports about shareholders."


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """A headline with its date, and where it stands."""

    headline: str
    day: date
    url: str


def event_type(headline: str, name: str | None = None) -> EventType | None:
    """Return the kind of event that a headline reports; with `name`, of that company."""
    if (
        len(headline) > MAX_HEADLINE
        or UNCERTAIN.search(headline)
        or (name is not None and not is_mentioned(name, headline))
    ):
        return None
    for kind, pattern in EVENTS:
        if match := pattern.search(headline):
            is_subject = name is None or kind not in SUBJECT_FIRST or is_mentioned(name, headline[: match.start()])
            return kind if is_subject else None
    return None


def events_in(
    reports: Iterable[Report], today: date, name: str | None = None
) -> tuple[tuple[TriggerEvent, ...], tuple[str, ...]]:
    """
    Return the events of the past year that headlines report, latest first, and the URLs of those headlines.

    Of several reports about one event, the first one counts.
    """
    found: list[tuple[Report, TriggerEvent]] = []
    last: dict[EventType, date] = {}
    for report in sorted(reports, key=lambda report: report.day):
        headline = " ".join(report.headline.split())
        kind = event_type(headline, name)
        if kind is None or not 0 <= (today - report.day).days <= MAX_AGE_DAYS:
            continue
        if kind not in last or (report.day - last[kind]).days > SAME_EVENT_DAYS:
            found.append((report, TriggerEvent(type=kind, date=report.day.isoformat(), headline=headline)))
        last[kind] = report.day
    latest = found[::-1][:MAX_EVENTS]
    return tuple(event for _, event in latest), tuple(dict.fromkeys(report.url for report, _ in latest))
