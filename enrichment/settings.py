"""
Settings of the service. This is the only module that reads the environment.
"""

import functools
import os
import re
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, get_type_hints

import msgspec
from msgspec import Meta

from enrichment.errors import SettingsError

# `$` also matches before a final line feed, hence `(?!\n)`.
ModuleId = Annotated[str, Meta(pattern=r"^m[0-9]{2}_[a-z_]{1,40}$(?!\n)")]
Token = Annotated[str, Meta(pattern=r"^[\x21\x23-\x26\x28-\x2b\x2d-\x5f\x61-\x7e]+$(?!\n)")]
"Visible ASCII characters except the comma, which separates tokens, and quotes, which an env file's reader has left."
Origin = Annotated[
    str,
    Meta(
        pattern=r"^(?!http:.*:80$|https:.*:443$)https?://"
        r"([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])"
        r"(:([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5]))?$(?!\n)"
    ),
]
"As browsers send it, so that it can match: in lower case, without a path or the scheme's default port."

ApiKey = Annotated[
    str,
    Meta(pattern=r"^[!#-&(-_a-~]*$(?!\n)", description="a key of visible ASCII characters other than quotes"),
]
BaseUrl = Annotated[
    str,
    Meta(pattern=r"^https?://[!-~]+[!-.0-~]$(?!\n)", description="a URL of http or https without a final slash"),
]

PLAIN_DECIMAL: Final[Mapping[Any, re.Pattern[str]]] = {
    int: re.compile(r"0|[1-9][0-9]{0,15}"),
    float: re.compile(r"(0|[1-9][0-9]{0,15})(\.[0-9]{1,15})?"),
}
"By type. Python's own conversions also accept `1e3`, `1_000`, `+5` and the digits of other scripts."
LISTS: Final = frozenset({"api_tokens", "cors_origins", "simulated_failures"})
CASE_SENSITIVE: Final = frozenset(
    {"case_studies_file", "contact", "cost_currency", "database_url", "llm_model", "outbound_proxy", "sec_user_agent"}
)
SECRET: Final = frozenset({"api_tokens", "database_url"})

CostPerCall = Annotated[
    Annotated[float, Meta(ge=0, le=1_000_000)] | None,
    Meta(description="an amount of money from 0 to 1000000"),
]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """
    One field per environment variable, whose name is the field's in capitals; `description` gives the allowed values.

    Values out of bounds raise `SettingsError`, which lists all of them; `from_env` and the constructor both check.
    """

    sources: Annotated[
        Literal["simulated", "live"],
        Meta(description="`simulated` or `live`"),
    ] = "simulated"
    "Where answers come from. Simulated ones are invented, and marked as simulated."
    contact: Annotated[
        str,
        Meta(
            pattern=r"^(https?://[!#-&*-~]+|[!#-&*-?A-~]+@[!#-&*-?A-~]+)?$(?!\n)",
            description="an e-mail address, or the URL of a page",
        ),
    ] = ""
    "How operators of outside services can reach you. It is sent to them in the `User-Agent` header."
    outbound_proxy: Annotated[
        str,
        Meta(pattern=r"^(https?://[!#-&(-~]+)?$(?!\n)", description="the URL of an HTTP proxy"),
    ] = ""
    "The proxy for companies' websites. It resolves their names, and has to refuse private addresses."
    sec_data_base_url: BaseUrl = "https://data.sec.gov"
    "Where to ask: SEC EDGAR: profiles and figures."
    sec_www_base_url: BaseUrl = "https://www.sec.gov"
    "Where to ask: SEC EDGAR: filings."
    wikidata_base_url: BaseUrl = "https://www.wikidata.org"
    "Where to ask: Wikidata."
    rdap_base_url: BaseUrl = "https://rdap.org"
    "Where to ask: registrations of top-level domains that the bootstrap file does not list."
    doh_base_url: BaseUrl = "https://dns.google"
    "Where to ask: DNS over HTTPS."
    yahoo_base_url_q1: BaseUrl = "https://query1.finance.yahoo.com"
    "Where to ask: Yahoo Finance."
    yahoo_base_url_q2: BaseUrl = "https://query2.finance.yahoo.com"
    "Where to ask: Yahoo Finance."
    yahoo_base_url_fc: BaseUrl = "https://fc.yahoo.com"
    "Where to ask: Yahoo Finance: its cookie."
    tranco_base_url: BaseUrl = "https://tranco-list.eu"
    "Where to ask: the Tranco ranking."
    greenhouse_base_url: BaseUrl = "https://boards-api.greenhouse.io"
    "Where to ask: job boards of Greenhouse."
    lever_base_url: BaseUrl = "https://api.lever.co"
    "Where to ask: job boards of Lever."
    lever_eu_base_url: BaseUrl = "https://api.eu.lever.co"
    "Where to ask: job boards of Lever in the EU."
    ashby_base_url: BaseUrl = "https://api.ashbyhq.com"
    "Where to ask: job boards of Ashby."
    gdelt_base_url: BaseUrl = "https://api.gdeltproject.org"
    "Where to ask: news found by GDELT."
    tavily_base_url: BaseUrl = "https://api.tavily.com"
    "Where to ask: web search by Tavily."
    tavily_api_key: ApiKey = ""
    "The key for Tavily; none: its key-less mode, see `TAVILY_KEYLESS`."
    brave_base_url: BaseUrl = "https://api.search.brave.com"
    "Where to ask: web search by Brave."
    brave_api_key: ApiKey = ""
    "The key for Brave; none: it is not asked."
    llm_base_url: BaseUrl = "https://api.openai.com/v1"
    "Where to ask: a language model."
    llm_api_key: ApiKey = ""
    "The key for the language model; none: none is sent, as for a server of your own."
    llm_model: Annotated[
        str,
        Meta(pattern=r"^[!#-&(-_a-~]{0,200}$(?!\n)", description="the name of a model, without quotes and blanks"),
    ] = ""
    "The language model that writes displacement angles; none: rules do."
    icp_reader: Annotated[
        Literal["rules", "model"],
        Meta(description="`rules` or `model`"),
    ] = "rules"
    "Who reads customer profiles: rules in the process, or the language model, with the rules in reserve."
    apollo_base_url: BaseUrl = "https://api.apollo.io/api/v1"
    "Where to ask: Apollo."
    apollo_api_key: ApiKey = ""
    "The key for Apollo; none: it is not asked."
    apollo_requests_per_minute: Annotated[
        int,
        Meta(ge=1, le=1_000, description="a whole number from 1 to 1000"),
    ] = 50
    "The limit of the Apollo plan for companies: 50 of the free plan, 1000 of paid ones."
    clearbit_base_url: BaseUrl = "https://company.clearbit.com"
    "Where to ask: Clearbit."
    clearbit_api_key: ApiKey = ""
    "The key for Clearbit, which issues no new ones; none: it is not asked."
    builtwith_base_url: BaseUrl = "https://api.builtwith.com"
    "Where to ask: BuiltWith."
    builtwith_api_key: ApiKey = ""
    "The key for BuiltWith; none: it is not asked."
    builtwith_api_version: Annotated[
        str,
        Meta(pattern=r"^v[1-9][0-9]?$(?!\n)", description="`v` and a number from 1 to 99"),
    ] = "v22"
    "The version of BuiltWith's Domain API."
    similarweb_base_url: BaseUrl = "https://api.similarweb.com"
    "Where to ask: SimilarWeb."
    similarweb_api_key: ApiKey = ""
    "The key for SimilarWeb; none: it is not asked."
    similarweb_api_version: Annotated[
        Literal["v5", "legacy"],
        Meta(description="`v5` or `legacy`"),
    ] = "v5"
    "The version of SimilarWeb's interface. The `legacy` ones were to end in October 2026."
    sec_user_agent: Annotated[
        str,
        Meta(pattern=r"^[ -~]{0,200}$(?!\n)", description="a name and an e-mail address, as the SEC asks for"),
    ] = ""
    "The `User-Agent` for the SEC; none: the service's own one with `CONTACT`."
    tavily_keyless: Annotated[
        Literal["on", "off"],
        Meta(description="`on` or `off`"),
    ] = "on"
    "Whether to search the web with Tavily's key-less mode."
    cost_currency: Annotated[
        str,
        Meta(pattern=r"^[A-Z]{3}$(?!\n)", description="the ISO 4217 code of a currency, in capitals"),
    ] = "USD"
    "The currency of all costs."
    apollo_cost_per_call: CostPerCall = None
    "What a billed call costs: Apollo."
    brave_cost_per_call: CostPerCall = 0.005
    "What a billed call costs: Brave Search. The default is the public price."
    builtwith_cost_per_call: CostPerCall = None
    "What a billed call costs: BuiltWith, but for its Free API."
    clearbit_cost_per_call: CostPerCall = None
    "What a billed call costs: Clearbit."
    llm_cost_per_call: CostPerCall = None
    "What a billed call costs: the language model."
    similarweb_cost_per_call: CostPerCall = None
    "What a billed call costs: SimilarWeb."
    tavily_cost_per_call: CostPerCall = None
    "What a billed call costs: Tavily with a key."
    simulated_lookup_seconds: Annotated[
        float,
        Meta(ge=0, le=3_600, description="a number of seconds from 0 to 3600"),
    ] = 15.0
    "How long the simulated lookup of a `POST /enrich` takes."
    simulated_module_seconds: Annotated[
        float,
        Meta(ge=0, le=3_600, description="a number of seconds from 0 to 3600"),
    ] = 3.0
    "How long a simulated module takes."
    simulated_failures: Annotated[
        tuple[ModuleId, ...],
        Meta(description="module ids, each once, separated by commas"),
    ] = ()
    "Simulated modules that always fail, to try out how failures are handled."
    case_studies_file: Annotated[
        str,
        Meta(pattern=r"^([^\s\x00\"'][^\x00]*)?$(?!\n)", description="the path of a JSON file, without quotes"),
    ] = ""
    "The case studies that leads are matched with. Without a path, these are the examples in this repository."
    jobs_backend: Annotated[
        Literal["memory", "postgres"],
        Meta(description="`memory` or `postgres`"),
    ] = "memory"
    "Where jobs are: in this process, or in a database that any number of web and worker processes share."
    database_url: Annotated[
        str,
        Meta(
            pattern=r"^(postgres(ql)?://[!-~]+)?$(?!\n)",
            description="the URL of a PostgreSQL database, `postgresql://user:password@host/name`",
        ),
    ] = ""
    "The database of `JOBS_BACKEND=postgres`."
    database_connections: Annotated[
        int,
        Meta(ge=2, le=100, description="a whole number from 2 to 100"),
    ] = 2
    "The most connections of a process to the database; a worker opens one more, on which it is notified."
    jobs_inline_worker: Annotated[
        int,
        Meta(ge=0, le=1, description="0 or 1"),
    ] = 0
    "Whether web processes run jobs of the database, too: 1 saves the worker process."
    worker_lease_seconds: Annotated[
        float,
        Meta(ge=1, le=3_600, description="a number of seconds from 1 to 3600"),
    ] = 15.0
    "After so long without a sign of life, a worker counts as dead, and others resume its jobs."
    worker_grace_seconds: Annotated[
        float,
        Meta(ge=0, le=3_600, description="a number of seconds from 0 to 3600"),
    ] = 20.0
    "How long running jobs may go on when a worker is told to stop. Those that are left are resumed by others."
    max_running_jobs: Annotated[
        int,
        Meta(ge=1, le=10_000, description="a whole number from 1 to 10000"),
    ] = 100
    "Enrichments that run at the same time, in each process that runs jobs. Others are queued by priority and age."
    job_deadline_seconds: Annotated[
        float,
        Meta(gt=0, le=86_400, description="a number of seconds above 0, up to 86400 (a day)"),
    ] = 600.0
    "How long an enrichment may run. Modules that are not done by then fail."
    max_batch_domains: Annotated[
        int,
        Meta(ge=1, le=100_000, description="a whole number from 1 to 100000"),
    ] = 1_000
    "The most domains that one batch may have."
    max_cached_results: Annotated[
        int,
        Meta(ge=1, le=10_000_000, description="a whole number from 1 to 10000000"),
    ] = 50_000
    "Answers in the cache, one per module and domain. When it is full, the least recently used is dropped."
    max_cached_bytes: Annotated[
        int,
        Meta(
            ge=1_048_576,
            le=1_099_511_627_776,
            description="a whole number of bytes from 1048576 (1 MiB) to 1099511627776 (1 TiB)",
        ),
    ] = 268_435_456
    "About how much memory those answers may take; the least recently used are dropped first."
    max_cached_blueprints: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000"),
    ] = 500
    "Blueprints kept for a day. When there are more, the least recently used is dropped."
    max_cached_blueprint_bytes: Annotated[
        int,
        Meta(
            ge=1_048_576,
            le=1_099_511_627_776,
            description="a whole number of bytes from 1048576 (1 MiB) to 1099511627776 (1 TiB)",
        ),
    ] = 67_108_864
    "About how much memory those blueprints may take; the least recently used are dropped first."
    max_pending_jobs: Annotated[
        int,
        Meta(ge=1, le=10_000_000, description="a whole number from 1 to 10000000"),
    ] = 100_000
    "Unfinished jobs at the same time. Further requests are answered 503 with `Retry-After`."
    max_finished_jobs: Annotated[
        int,
        Meta(ge=1, le=10_000_000, description="a whole number from 1 to 10000000"),
    ] = 50_000
    "Finished jobs kept. When there are more, the oldest is dropped. One of 15 modules takes about 2.5 kB."
    max_finished_bytes: Annotated[
        int,
        Meta(
            ge=1_048_576,
            le=1_099_511_627_776,
            description="a whole number of bytes from 1048576 (1 MiB) to 1099511627776 (1 TiB)",
        ),
    ] = 268_435_456
    "About how much memory finished jobs may take; the oldest are dropped first."
    job_retention_seconds: Annotated[
        float,
        Meta(ge=0, le=31_536_000, description="a number of seconds from 0 to 31536000 (a year)"),
    ] = 86_400.0
    "How long a finished job is kept."
    max_body_bytes: Annotated[
        int,
        Meta(ge=64, le=1_073_741_824, description="a whole number of bytes from 64 to 1073741824 (1 GiB)"),
    ] = 1_048_576
    "The largest request body. A larger one is answered 413."
    max_connections: Annotated[
        int,
        Meta(ge=1, le=1_000_000, description="a whole number from 1 to 1000000"),
    ] = 2_000
    "Connections open at once, with the protocol of `enrichment.web.server`, as far as the limit of descriptors allows."
    client_timeout_seconds: Annotated[
        float,
        Meta(gt=0, le=3_600, description="a number of seconds above 0, up to 3600"),
    ] = 10.0
    "How long a client may take to send a request's head, to send its body, or to read any of what was sent to it."
    auth: Annotated[
        Literal["bearer", "off"],
        Meta(description="`bearer` or `off`"),
    ] = "bearer"
    "`off` leaves authentication to the host application. Cross-site requests of browsers are then refused."
    api_tokens: Annotated[
        tuple[Token, ...],
        Meta(description="tokens of visible ASCII characters other than quotes, each once, separated by commas"),
    ] = ()
    "Accepted bearer tokens. If there are none, one is generated and logged at start, and `/enrich` needs no token."
    cors_origins: Annotated[
        tuple[Origin, ...],
        Meta(description="origins such as `https://app.example.com`, without a path, each once, separated by commas"),
    ] = ()
    "Origins whose pages may call the service from a browser; none: only pages of the service's own origin."
    docs: Annotated[
        Literal["on", "off"],
        Meta(description="`on` or `off`"),
    ] = "on"
    "Whether `/openapi.json`, `/docs` and `/llms.txt` describe the service to everyone."
    log_format: Annotated[
        Literal["text", "json"],
        Meta(description="`text` or `json`"),
    ] = "text"
    "Log lines as text or as one JSON object per line."
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"],
        Meta(description="`debug`, `info`, `warning` or `error`"),
    ] = "info"
    "The lowest level that is logged."
    web_concurrency: Annotated[
        int,
        Meta(ge=1, le=1_024, description="a whole number from 1 to 1024"),
    ] = 1
    "Number of server processes, set by platforms. Each would have its own jobs, so the `Procfile` overrides it with 1."

    def __post_init__(self) -> None:
        values = msgspec.structs.asdict(self)
        if faults := [_fault(name, value) for name, value in values.items() if not _fits(name, value)]:
            raise SettingsError(faults)

    @classmethod
    def from_env(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables; one that is unset or empty stands for the default."""
        texts = {name: environ.get(name.upper(), "").strip() for name in cls.__struct_fields__}
        return cls(**{name: _parse(name, text) for name, text in texts.items() if text})


def allowed_values(name: str) -> str:
    """Return the description of the values that the setting accepts."""
    description: str = _type(name).__metadata__[0].description
    return description


def _type(name: str) -> Any:
    return _types()[name]


@functools.cache
def _types() -> dict[str, Any]:
    return get_type_hints(Settings, include_extras=True)


def _parse(name: str, text: str) -> Any:
    """Return the value that the text of a variable stands for. An invalid one may stay a text, which does not fit."""
    if name in LISTS:
        return tuple(item.strip() for item in text.split(","))
    if name in CASE_SENSITIVE or name.endswith(("_base_url", "_api_key")) or "_base_url_" in name:
        return text
    kind = float if name.endswith("_cost_per_call") else _type(name).__origin__
    if pattern := PLAIN_DECIMAL.get(kind):
        return kind(text) if pattern.fullmatch(text) else text
    return text.lower()


def _fits(name: str, value: Any) -> bool:
    try:
        msgspec.convert(value, _type(name))
    except (msgspec.ValidationError, UnicodeEncodeError):  # the latter for invalid UTF-8
        return False
    return name not in LISTS or len(set(value)) == len(value)


def _fault(name: str, value: Any) -> str:
    return f"{name.upper()} cannot be {_shown(name, value)}; it must be {allowed_values(name)}."


def _shown(name: str, value: Any) -> str:
    """Return the invalid value, or the first invalid item of a list, without secrets."""
    position = ""
    if name in LISTS and isinstance(value, tuple):
        index, value = next(
            (index, item) for index, item in enumerate(value) if item in value[:index] or not _fits(name, (item,))
        )
        position = f"item {index + 1}, "
    if name in SECRET or name.endswith("_api_key"):
        return f"({position}not shown here)"
    _, at, rest = repr(value).rpartition("@")  # what stands before it can be a password
    return f"…@{rest}"[:60] if at else rest[:60]
