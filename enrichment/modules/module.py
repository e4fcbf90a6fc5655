"""
A module, its input and its output.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final, Self, TypeVar

import msgspec
from msgspec import UNSET, Meta

from schemas import Condition, CustomerProfile, Method, SourceAttempt, SourceCitation

A = TypeVar("A", bound="Answer")

REMARKS: Final = frozenset({"simulated", "limited", "note"})
"Names of fields that say something about an answer, and are no part of it."

_encode: Final = msgspec.json.Encoder().encode


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """A module's answer about a company; each module has its own subclass."""

    simulated: Annotated[
        bool, Meta(description="Whether the answer is invented, or derived from one that is; it must not be relied on.")
    ] = False


class Finding(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    An answer with its origin, in the form in which it is stored, cached and sent.

    `body` is the answer as JSON, `data_points` the number of known values in it, and `fetched_at` in seconds since the
    epoch. `method` says how the answer was obtained, and `observed_at` is the date of the data itself. `field_sources`
    names the source of each field where several filled the answer. `matched_by` says how the company was identified,
    `match_confidence` how sure that is (0 to 1). `unknown` is not empty if no source knows the company: it says so, and
    the body is null. `attempts` lists the sources that were asked, of which the last succeeded. `based_on` lists the
    findings that a derived answer depends on, by module and time.
    """

    body: msgspec.Raw
    data_points: int
    simulated: bool
    source: str
    fetched_at: float
    method: Method
    observed_at: float | None = None
    field_sources: Mapping[str, str] = {}
    matched_by: str | None = None
    match_confidence: float | None = None
    unknown: str = ""
    citations: tuple[SourceCitation, ...] = ()
    attempts: tuple[SourceAttempt, ...] = ()
    based_on: tuple[tuple[str, float], ...] = ()

    @classmethod
    def of(
        cls,
        answer: Answer,
        *,
        source: str,
        fetched_at: float,
        method: Method = Method.API,
        **more: Any,
    ) -> Self:
        """Encode an answer; `more` are further fields."""
        return cls(
            body=msgspec.Raw(_encode(answer)),
            data_points=count_data_points(answer),
            simulated=answer.simulated,
            source=source,
            fetched_at=fetched_at,
            method=method,
            **more,
        )

    @classmethod
    def of_unknown(cls, reason: str, *, source: str, fetched_at: float, attempts: tuple[SourceAttempt, ...]) -> Self:
        """The finding that no source knows the company."""
        return cls(
            body=msgspec.Raw(b"null"),
            data_points=0,
            simulated=False,
            source=source,
            fetched_at=fetched_at,
            method=Method.API,
            unknown=reason,
            attempts=attempts,
        )

    def read(self, shape: type[A]) -> A:
        """Decode the answer as its module's Struct."""
        return msgspec.json.decode(self.body, type=shape)


class JobProfile(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """
    The ideal customer profile that derived modules judge a company by, as JSON.

    `digest` is that of the conditions: profiles with the same one judge alike.
    """

    digest: str
    content: msgspec.Raw

    @classmethod
    def of(cls, profile: CustomerProfile) -> Self:
        """Encode a profile."""
        digest = hashlib.sha256(_encode(profile.conditions)).hexdigest()[:16]
        return cls(digest=digest, content=msgspec.Raw(_encode(profile)))

    def read(self) -> CustomerProfile:
        """Decode the profile."""
        return msgspec.json.decode(self.content, type=CustomerProfile)

    def conditions(self) -> tuple[Condition, ...]:
        """Decode the conditions."""
        return msgspec.json.decode(self.content, type=_Conditions).conditions


class _Conditions(msgspec.Struct, frozen=True):
    """The part of a profile that companies are judged by."""

    conditions: tuple[Condition, ...]


class CaseStudy(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A customer success story, to be shown to companies that resemble the customer; `employees` is a range."""

    id: str
    title: str
    customer: str
    industries: tuple[str, ...]
    employees: tuple[int, int]
    countries: tuple[str, ...] = ()
    technologies: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    outcome: str
    url: str | None = None


class Subject(msgspec.Struct, frozen=True, kw_only=True):
    """
    The company that a source is asked about.

    `known` has the findings of the modules that are needed, by module id; `missing` has the reasons for those without
    one. A derived module judges by `profile`, if there is one; `now` is then the time, in seconds since the epoch.
    """

    domain: str
    known: Mapping[str, Finding] = {}
    missing: Mapping[str, str] = {}
    case_studies: tuple[CaseStudy, ...] = ()
    profile: JobProfile | None = None
    now: float = 0.0


class Module(msgspec.Struct, frozen=True, kw_only=True):
    """
    One question about a company, and the Struct of its answer.

    `chain` names the sources to ask, in order, until one answers. `provider` and `title` are the title of a citation.
    `needs` are the modules whose findings it uses. `derive` computes the answer of a derived module from them, and
    raises `InsufficientInput` if they are not enough.
    """

    id: str
    wave: int
    asks: str
    answer: type[Answer]
    provider: str
    title: str
    chain: tuple[str, ...]
    ttl_days: int
    timeout_seconds: float
    needs: tuple[str, ...] = ()
    derive: Callable[[Subject], Answer] | None = None

    @property
    def is_derived(self) -> bool:
        """Whether the answer depends on those of other modules, and on the profile."""
        return self.derive is not None


def cache_key(module: Module, profile: JobProfile | None) -> str:
    """Return the key of the module's findings in the cache: its id, with the digest of the profile it judges by."""
    return f"{module.id}@{profile.digest}" if profile and module.is_derived else module.id


def source_key(module: Module, source: str) -> str:
    """Return the key of the finding in the cache that this source of the module does not know the company."""
    return f"{module.id}:{source}"


def is_source_key(key: str) -> bool:
    """Whether a key of the cache is that of a single source."""
    return ":" in key


def module_of_key(key: str) -> str:
    """Return the id of the module in a key of the cache."""
    return key.partition(":")[0].partition("@")[0]


def count_data_points(answer: Answer) -> int:
    """Count the known values in an answer; each item of a list counts as one, a remark on the answer not at all."""
    values: dict[str, Any] = msgspec.structs.asdict(answer)
    return sum(
        len(value) if isinstance(value, tuple) else value is not None and value is not UNSET
        for name, value in values.items()
        if name not in REMARKS
    )
