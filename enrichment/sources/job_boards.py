"""
Job boards: the open roles that companies publish at Greenhouse, Lever and Ashby.
"""

import asyncio
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import Final, Literal, NamedTuple, Protocol, TypeVar
from urllib.parse import quote, unquote

import msgspec

from enrichment.clock import Clock
from enrichment.domains import registrable_domain
from enrichment.errors import SourceFailed
from enrichment.modules.answers import DepartmentRoles, HiringSignals
from enrichment.modules.module import Finding, Module, Subject
from enrichment.modules.playbook import PLAYBOOK
from enrichment.sources.company_names import core_name
from enrichment.sources.failures import NotFound, ParseError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream
from schemas import Method, SourceCitation

T = TypeVar("T")

Vendor = Literal["greenhouse", "lever", "lever_eu", "ashby"]

MAX_BYTES: Final = 32 * 1024 * 1024
"Boards send all their roles in one answer, with descriptions: 2.2 MB for 122 roles."
MAX_BOARDS: Final = 3
LEVER_PAGE: Final = 100
MAX_LEVER_PAGES: Final = 20
RECENT_SECONDS: Final = 30 * 86_400
MAX_TECHNOLOGIES: Final = 30
NO_DEPARTMENT: Final = "Other"

# fmt: off
BOARD_URLS: Final[tuple[tuple[Vendor, re.Pattern[str]], ...]] = (
    ("greenhouse", re.compile(r"(?<![\w.-])(?:job-)?boards(?:\.eu)?\.greenhouse\.io/embed/job_(?:board(?:/js)?|app)"
                              r"\?(?:[^#]*&)?for=([\w-]+)")),
    ("greenhouse", re.compile(r"(?<![\w.-])(?:job-)?boards(?:\.eu)?\.greenhouse\.io/(?!embed(?:/|$))([\w-]+)")),
    ("lever", re.compile(r"(?<![\w.-])jobs\.lever\.co/([\w.-]+)")),
    ("lever_eu", re.compile(r"(?<![\w.-])jobs\.eu\.lever\.co/([\w.-]+)")),
    ("ashby", re.compile(r"(?<![\w.-])jobs\.ashbyhq\.com/([\w.%-]+)")),
)
TITLES: Final[dict[Vendor, str]] = {
    "greenhouse": "Greenhouse job board", "lever": "Lever job board", "lever_eu": "Lever job board",
    "ashby": "Ashby job board",
}
TECHNOLOGIES: Final = (
    *(name for product in PLAYBOOK for name in product.names.split(", ")),
    "Airflow", "Amazon Web Services", "AWS", "Azure", "BigQuery", "Braze", "Cloudflare", "commercetools", "Databricks",
    "Datadog", "Django", "Docker", "Fivetran", "Google Cloud", "GraphQL", "Java", "JavaScript", "Kafka", "Kotlin",
    "Kubernetes", "Looker", "MongoDB", "MySQL", "NetSuite", "Next.js", "Node.js", "PostgreSQL", "Power BI", "Python",
    "React", "Redis", "Redshift", "Ruby on Rails", "Rust", "Snowflake", "Tableau",
    "Terraform", "TypeScript", "Vue.js", "Workday",
)
# fmt: on
NAMES: Final = {
    name: re.compile(rf"{re.escape(name)}(?<![\w.-]{re.escape(name)})(?![\w-])")
    for name in sorted(TECHNOLOGIES, key=len, reverse=True)
}
"""
Patterns of the technologies, the longest first. Each begins with a literal, which is searched for some ten times as
fast as anything else: a board may have megabytes of text.
"""
SENIOR: Final = re.compile(
    r"\b(?:chief(?! of staff)(?: \w+){1,3} officer|c[efimopt]o|ciso|[se]?vp|vice[ -]president|president|head of|head,"
    r"|head$|director|general counsel|general manager)\b",
    re.IGNORECASE,
)
NOT_SENIOR: Final = re.compile(
    r"\b(?:assistant|(?:art|creative|associate|funeral|medical|nursing) director|to the|office of)\b", re.IGNORECASE
)
TAG: Final = re.compile(r"<[^<>]*>")


class SiteFacts(Protocol):
    """What a company's website says about it, as far as it is needed here."""

    @property
    def name(self) -> str | None:
        """Its name."""

    @property
    def job_boards(self) -> tuple[str, ...]:
        """The URLs of job boards that the website links to."""


class Sites(Protocol):
    """Reads companies' websites."""

    async def site_facts(self, domain: str) -> SiteFacts:
        """Return what a domain's website says. Raises `SourceFailed`."""


class Board(NamedTuple):
    """A job board: the vendor, and the vendor's name for it."""

    vendor: Vendor
    token: str


class Role(msgspec.Struct, frozen=True, kw_only=True):
    """An open role. `text` is HTML. `remote` is None if the posting does not say where the work is done."""

    title: str
    department: str | None = None
    remote: bool | None = None
    posted_at: float | None = None
    text: str = ""


class Named(msgspec.Struct, frozen=True):
    """Something with a name."""

    name: str | None = None


class GreenhouseJob(msgspec.Struct, frozen=True):
    """A role at Greenhouse. `updated_at` is not its age: it changes with each edit."""

    title: str | None = None
    first_published: str | None = None
    location: Named | None = None
    content: str | None = None
    departments: tuple[Named | None, ...] | None = None


class GreenhouseJobs(msgspec.Struct, frozen=True):
    """The answer of Greenhouse."""

    jobs: tuple[GreenhouseJob, ...]


class LeverCategories(msgspec.Struct, frozen=True):
    """Where a role belongs."""

    location: str | None = None
    team: str | None = None
    department: str | None = None


class LeverSection(msgspec.Struct, frozen=True):
    """A section of a posting, in HTML."""

    content: str | None = None


class LeverPosting(msgspec.Struct, frozen=True, rename="camel"):
    """A role at Lever; `created_at` is in milliseconds."""

    text: str | None = None
    categories: LeverCategories | None = None
    created_at: float | None = None
    description_plain: str | None = None
    description: str | None = None
    additional_plain: str | None = None
    lists: tuple[LeverSection | None, ...] | None = None
    workplace_type: str | None = None


class AshbyJob(msgspec.Struct, frozen=True, rename="camel"):
    """A role at Ashby. `is_remote` is often null."""

    title: str | None = None
    department: str | None = None
    team: str | None = None
    location: str | None = None
    is_remote: bool | None = None
    workplace_type: str | None = None
    published_at: str | None = None
    is_listed: bool | None = None
    description_plain: str | None = None
    description_html: str | None = None


class AshbyJobs(msgspec.Struct, frozen=True):
    """The answer of Ashby."""

    jobs: tuple[AshbyJob, ...]


class JobBoards:
    """
    Asks the job boards that a company's website links to.

    If it links to none, boards under the first label of the domain are tried; they count only if they name the company
    or its domain.
    """

    def __init__(
        self,
        client: Client,
        sites: Sites,
        clock: Clock,
        *,
        greenhouse: str = "https://boards-api.greenhouse.io",
        lever: str = "https://api.lever.co",
        lever_eu: str = "https://api.eu.lever.co",
        ashby: str = "https://api.ashbyhq.com",
    ) -> None:
        self._client = client
        self._sites = sites
        self._clock = clock
        urls: dict[Vendor, str] = {"greenhouse": greenhouse, "lever": lever, "lever_eu": lever_eu, "ashby": ashby}
        self._urls = urls
        self.upstreams: dict[Vendor, Upstream] = {
            vendor: Upstream(
                name=vendor, requests_per_second=1, attempt_seconds=8, max_bytes=MAX_BYTES, trusted_origins=(url,)
            )
            for vendor, url in urls.items()
        }

    async def ask(self, module: Module, subject: Subject) -> Finding:
        """Return the open roles of a company."""
        try:
            facts = await self._sites.site_facts(subject.domain)
        except SourceFailed as error:
            return await self._ask_guessed(subject.domain, None, error)
        if boards := boards_in(facts.job_boards):
            return await self._ask_linked(boards)
        nothing = NotFound("No job board is linked from the website or names the company.")
        return await self._ask_guessed(subject.domain, facts.name, nothing)

    async def _ask_linked(self, boards: Sequence[Board]) -> Finding:
        roles: list[Role] = []
        citations = []
        for board in boards[:MAX_BOARDS]:
            try:
                url, found = await self.roles(board)
            except NotFound:
                continue
            roles += found
            citations.append(board_citation(board, url))
        if not citations:
            raise NotFound("The job boards that the website links to do not exist.")
        return await self._finding(roles, citations, "job board linked from the website", 0.95)

    async def _ask_guessed(self, domain: str, name: str | None, nothing: SourceFailed) -> Finding:
        """Try boards under the first label of the domain. Raise `nothing` if none is the company's."""
        registrable = registrable_domain(domain)
        for vendor in self._urls:
            board = Board(vendor, registrable.partition(".")[0])
            try:
                url, roles = await self.roles(board)
                if links_to(registrable, roles):
                    return await self._finding(roles, [board_citation(board, url)], "domain named in the postings", 0.9)
                if vendor == "greenhouse" and name and await self._is_named(board, name):
                    return await self._finding(roles, [board_citation(board, url)], "name of the job board", 0.7)
            except NotFound:
                continue
        raise nothing

    async def _is_named(self, board: Board, name: str) -> bool:
        """Whether a board at Greenhouse has the name of the company."""
        _, found = await self._get(board, "/v1/boards/{}", {}, read_name)
        return core_name(found) == core_name(name) != ()

    async def roles(self, board: Board) -> tuple[str, list[Role]]:
        """Return the URL of a board's answer, and its roles. Raises `NotFound` if there is no such board."""
        match board.vendor:
            case "greenhouse":
                return await self._get(board, "/v1/boards/{}/jobs", {"content": "true"}, read_greenhouse)
            case "ashby":
                return await self._get(board, "/posting-api/job-board/{}", {"includeCompensation": "true"}, read_ashby)
            case _:
                return await self._lever_roles(board)

    async def _lever_roles(self, board: Board) -> tuple[str, list[Role]]:
        roles: list[Role] = []
        first = ""
        for page in range(MAX_LEVER_PAGES):
            params = {"mode": "json", "limit": str(LEVER_PAGE), "skip": str(page * LEVER_PAGE)}
            url, found = await self._get(board, "/v0/postings/{}", params, read_lever)
            first = first or url
            roles += found
            if len(found) < LEVER_PAGE:
                return first, roles
        raise ParseError(f"Its board has more than {len(roles)} roles.")

    async def _get(
        self, board: Board, path: str, params: dict[str, str], read: Callable[[HttpResponse], T]
    ) -> tuple[str, T]:
        """Return the URL of the answer, and what `read` makes of it."""
        request = HttpRequest(url=self._urls[board.vendor] + path.format(quote(board.token, safe="")), params=params)
        return await self._client.fetch(
            self.upstreams[board.vendor], request, lambda response: (response.url, read(response.raise_for_status()))
        )

    async def _finding(
        self, roles: list[Role], citations: list[SourceCitation], matched_by: str, confidence: float
    ) -> Finding:
        now = self._clock.now()
        return Finding.of(
            await asyncio.to_thread(summarize, roles, now),
            source="job_boards",
            fetched_at=now,
            observed_at=now,
            method=Method.API,
            citations=tuple(citations),
            matched_by=matched_by,
            match_confidence=confidence,
        )


def boards_in(urls: Iterable[str]) -> tuple[Board, ...]:
    """Return the boards that URLs lead to, each once."""
    found = (
        Board(vendor, unquote(match[1]))
        for url in urls
        for vendor, pattern in BOARD_URLS
        if (match := pattern.search(url))
    )
    return tuple(dict.fromkeys(found))


def links_to(domain: str, roles: Iterable[Role]) -> bool:
    """Whether a posting names the domain, in a link or an e-mail address."""
    name = re.escape(domain)
    pattern = re.compile(rf"{name}(?<![^\W_.-]{name})(?<!-{name})(?![\w-]|\.\w)")
    texts = (role.text.lower() for role in roles)
    return any(domain in text and pattern.search(text) for text in texts)


def read_greenhouse(response: HttpResponse) -> list[Role]:
    """Read the answer of Greenhouse, in which the HTML of a posting is escaped."""
    return [
        Role(
            title=job.title or "",
            department=next((each.name for each in job.departments or () if each and each.name), None),
            remote=_says_remote(job.location.name if job.location else None),
            posted_at=_timestamp(job.first_published),
            text=_unescaped(job.content or ""),
        )
        for job in response.json(GreenhouseJobs).jobs
    ]


def _unescaped(content: str) -> str:
    """The HTML that is escaped as text. `html.unescape` takes seven times as long."""
    for entity, character in (("&lt;", "<"), ("&gt;", ">"), ("&quot;", '"'), ("&#39;", "'"), ("&amp;", "&")):
        content = content.replace(entity, character)
    return content


def read_name(response: HttpResponse) -> str:
    """Read the name of a board at Greenhouse."""
    return response.json(Named).name or ""


def read_lever(response: HttpResponse) -> list[Role]:
    """Read the answer of Lever."""
    return [_lever_role(posting) for posting in response.json(tuple[LeverPosting, ...])]


def _lever_role(posting: LeverPosting) -> Role:
    categories = posting.categories or LeverCategories()
    parts = [posting.description, posting.description_plain, posting.additional_plain, *_list_texts(posting)]
    return Role(
        title=posting.text or "",
        department=categories.department or categories.team,
        remote=_is_remote(posting.workplace_type, categories.location),
        posted_at=posting.created_at / 1_000 if posting.created_at else None,
        text=" ".join(part for part in parts if part),
    )


def _list_texts(posting: LeverPosting) -> list[str]:
    """The bullet lists of a posting, which are not in its description."""
    return [section.content for section in posting.lists or () if section and section.content]


def read_ashby(response: HttpResponse) -> list[Role]:
    """Read the answer of Ashby, without the roles that are not on its board."""
    return [
        Role(
            title=job.title or "",
            department=job.department or job.team,
            remote=job.is_remote if job.is_remote is not None else _is_remote(job.workplace_type, job.location),
            posted_at=_timestamp(job.published_at),
            text=job.description_html or job.description_plain or "",
        )
        for job in response.json(AshbyJobs).jobs
        if job.is_listed is not False
    ]


def summarize(roles: Sequence[Role], now: float) -> HiringSignals:
    """
    Return what the open roles say about the company. What some of the postings do not say is left out.

    Takes 0.1 s for each megabyte of postings.
    """
    technologies = Counter(name for role in roles for name in technologies_in(role.text))
    departments = Counter((role.department or "").strip() or NO_DEPARTMENT for role in roles)
    dates = [role.posted_at for role in roles if role.posted_at is not None]
    places = [role.remote for role in roles if role.remote is not None]
    return HiringSignals(
        open_roles=len(roles),
        roles_by_department=tuple(
            DepartmentRoles(department=name, open_roles=count) for name, count in departments.most_common()
        ),
        senior_roles=sum(is_senior(role.title) for role in roles),
        remote_share_percent=round(100 * sum(places) / len(roles), 1) if places else None,
        posted_last_30_days=(
            sum(posted_at > now - RECENT_SECONDS for posted_at in dates) if len(dates) == len(roles) else None
        ),
        technologies_mentioned=tuple(name for name, _ in technologies.most_common(MAX_TECHNOLOGIES)),
    )


def is_senior(title: str) -> bool:
    """Whether the title is that of a head of a department, or of somebody above."""
    return bool(SENIOR.search(title.strip())) and not NOT_SENIOR.search(title)


def technologies_in(html: str) -> list[str]:
    """Return the technologies that a posting names, each once. A name inside of a longer one does not count."""
    text = TAG.sub(" ", html)
    found = []
    for name, pattern in NAMES.items():
        if name in text and pattern.search(text):
            found.append(name)
            text = pattern.sub(" ", text)
    return found


def _is_remote(workplace: str | None, location: str | None) -> bool | None:
    """Whether a role is remote. A vendor that leaves it `unspecified` may say so in the location."""
    kind = (workplace or "").strip().lower()
    return kind == "remote" if kind in ("remote", "hybrid", "onsite", "on-site") else _says_remote(location)


def _says_remote(location: str | None) -> bool | None:
    return "remote" in location.lower() if location and location.strip() else None


def _timestamp(text: str | None) -> float | None:
    """An ISO date in seconds since the epoch, None if it is not one."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def board_citation(board: Board, url: str) -> SourceCitation:
    """Return the citation of a board."""
    return SourceCitation(url=url, title=TITLES[board.vendor], source="job_boards", simulated=False)
