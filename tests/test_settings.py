"""
Settings: read from the environment, with all invalid values in one list.
"""

import math
from typing import Any

import msgspec
import pytest

from enrichment.errors import SettingsError
from enrichment.settings import Settings, allowed_values


def faults(environ: dict[str, str]) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_env(environ)
    return refused.value.faults


def test_an_empty_environment_gives_the_defaults() -> None:
    assert Settings.from_env({}) == Settings()
    assert Settings().simulated_lookup_seconds == 15


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_env({"SIMULATED_LOOKUP_SECONDS": "", "API_TOKENS": " ", "AUTH": ""}) == Settings()


GIVEN = {
    "SOURCES": ("simulated", "simulated"),
    "CONTACT": ("Ops@Example.com", "Ops@Example.com"),
    "OUTBOUND_PROXY": ("http://user:Secret@proxy:3128", "http://user:Secret@proxy:3128"),
    "SIMULATED_FAILURES": ("m01_company_context, m05_competitors", ("m01_company_context", "m05_competitors")),
    "SEC_USER_AGENT": ("Acme ops@acme.example", "Acme ops@acme.example"),
    "TAVILY_KEYLESS": ("OFF", "off"),
    "BUILTWITH_API_VERSION": ("V19", "v19"),
    "SIMILARWEB_API_VERSION": ("Legacy", "legacy"),
    "COST_CURRENCY": ("EUR", "EUR"),
    "JOBS_BACKEND": ("Postgres", "postgres"),
    "DATABASE_URL": ("postgresql://User:Secret@host/Name", "postgresql://User:Secret@host/Name"),
    "ICP_READER": ("Model", "model"),
    "LLM_MODEL": ("Qwen/Qwen3-8B", "Qwen/Qwen3-8B"),
    "CASE_STUDIES_FILE": ("/tmp/Case Studies.json", "/tmp/Case Studies.json"),
    "AUTH": ("off", "off"),
    "API_TOKENS": ("one, Two,three", ("one", "Two", "three")),
    "CORS_ORIGINS": ("https://a.com,http://b.com:81", ("https://a.com", "http://b.com:81")),
    "DOCS": ("OFF", "off"),
    "LOG_FORMAT": ("JSON", "json"),
    "LOG_LEVEL": (" Warning ", "warning"),
}
"Texts that are no numbers, and what is read from them."


VERBATIM = ("_base_url", "_base_url_q1", "_base_url_q2", "_base_url_fc", "_api_key")


@pytest.mark.parametrize("field", msgspec.structs.fields(Settings), ids=lambda field: field.name)
def test_every_variable_is_read(field: msgspec.structs.FieldInfo) -> None:
    url = "http://127.0.0.1:8001/Path"
    given_as_text = GIVEN.get(field.name.upper()) or ((url, url) if field.name.endswith(VERBATIM) else None)
    text, value = given_as_text or (str(number := (field.default or 0) + 1), number)

    given: dict[str, Any] = {field.name: value}
    assert Settings.from_env({field.name.upper(): text, "UNRELATED": "x"}) == Settings(**given)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCES", "lively"),
        ("SEC_DATA_BASE_URL", "data.sec.gov"),
        ("SEC_DATA_BASE_URL", "https://data.sec.gov/"),
        ("TAVILY_KEYLESS", "yes"),
        ("BUILTWITH_API_VERSION", "22"),
        ("BUILTWITH_API_VERSION", "v22/../free1"),
        ("SIMILARWEB_API_VERSION", "v4"),
        ("COST_CURRENCY", "usd"),
        ("APOLLO_COST_PER_CALL", "-0.1"),
        ("APOLLO_COST_PER_CALL", "$0.10"),
        ("BRAVE_COST_PER_CALL", "none"),
        ("LLM_MODEL", "'a-model'"),
        ("SOURCES", "simulated,live"),
        ("CONTACT", "ops (example.com)"),
        ("CONTACT", "example.com"),
        ("CONTACT", "'https://example.com'"),
        ("CONTACT", "https://example.com/\r\nX: y"),
        ("OUTBOUND_PROXY", "proxy:3128"),
        ("OUTBOUND_PROXY", '"http://proxy:3128"'),
        ("SIMULATED_LOOKUP_SECONDS", "-1"),
        ("SIMULATED_LOOKUP_SECONDS", "nan"),
        ("SIMULATED_LOOKUP_SECONDS", "inf"),
        ("SIMULATED_LOOKUP_SECONDS", "15s"),
        ("SIMULATED_LOOKUP_SECONDS", "1,5"),
        ("SIMULATED_MODULE_SECONDS", ".5"),
        ("SIMULATED_MODULE_SECONDS", "5."),
        ("SIMULATED_MODULE_SECONDS", "1e2"),
        ("SIMULATED_MODULE_SECONDS", "'3'"),
        ("JOB_DEADLINE_SECONDS", "10 min"),
        ("JOB_RETENTION_SECONDS", "0x10"),
        ("MAX_PENDING_JOBS", "many"),
        ("MAX_PENDING_JOBS", "1.5"),
        ("MAX_PENDING_JOBS", "5.0"),
        ("MAX_PENDING_JOBS", "9" * 5000),
        ("MAX_PENDING_JOBS", "1e3"),
        ("MAX_PENDING_JOBS", "1_000"),
        ("MAX_PENDING_JOBS", "1,000"),
        ("MAX_PENDING_JOBS", "1 000"),
        ("MAX_PENDING_JOBS", "+5"),
        ("MAX_PENDING_JOBS", "-5"),
        ("MAX_PENDING_JOBS", "007"),
        ("MAX_PENDING_JOBS", "１５"),
        ("MAX_PENDING_JOBS", "٣"),
        ("MAX_PENDING_JOBS", "²"),
        ("MAX_PENDING_JOBS", "true"),
        ("MAX_PENDING_JOBS", '"5"'),
        ("MAX_BODY_BYTES", "1MB"),
        ("AUTH", "basic"),
        ("AUTH", "bearer off"),
        ("AUTH", "false"),
        ("LOG_FORMAT", "xml"),
        ("LOG_FORMAT", '"json"'),
        ("LOG_LEVEL", "loud"),
        ("LOG_LEVEL", "20"),
        ("WEB_CONCURRENCY", "auto"),
        ("CASE_STUDIES_FILE", '"/srv/studies.json"'),
        ("CASE_STUDIES_FILE", "'studies.json'"),
    ],
)
def test_a_fault_names_the_variable_the_value_and_the_allowed_values(name: str, value: str) -> None:
    (fault,) = faults({name: value})

    assert fault.startswith(f"{name} cannot be {value[:20]!r}"[:-1])
    assert fault.endswith(f"; it must be {allowed_values(name.lower())}.")
    assert len(fault) < 200


@pytest.mark.parametrize("name", ["MAX_PENDING_JOBS", "JOB_DEADLINE_SECONDS", "MAX_FINISHED_JOBS", "WEB_CONCURRENCY"])
def test_a_number_out_of_bounds_is_refused(name: str) -> None:
    for value in ("0", "999999999999"):
        (fault,) = faults({name: value})
        assert fault.startswith(f"{name} cannot be {value}")
        assert fault.endswith(f"; it must be {allowed_values(name.lower())}.")


@pytest.mark.parametrize(
    ("name", "value", "item"),
    [
        ("SIMULATED_FAILURES", "traffic", "'traffic'"),
        ("SIMULATED_FAILURES", "M03_traffic", "'M03_traffic'"),
        ("SIMULATED_FAILURES", "m03_traffic m05_competitors", "'m03_traffic m05_competitors'"),
        ("SIMULATED_FAILURES", "m03_traffic,,m05_competitors", "''"),
        ("SIMULATED_FAILURES", "m03_traffic,", "''"),
        ("SIMULATED_FAILURES", "m03_traffic, m05_competitors,m03_traffic", "'m03_traffic'"),
        ("SIMULATED_FAILURES", "m03_traffic;m05_competitors", "'m03_traffic;m05_competitors'"),
        ("CORS_ORIGINS", "*", "'*'"),
        ("CORS_ORIGINS", "null", "'null'"),
        ("CORS_ORIGINS", "app.example.com", "'app.example.com'"),
        ("CORS_ORIGINS", "https://a.com,https://app.example.com/", "'https://app.example.com/'"),
        ("CORS_ORIGINS", "https://app.example.com/app", "'https://app.example.com/app'"),
        ("CORS_ORIGINS", "https://app.example.com?x", "'https://app.example.com?x'"),
        ("CORS_ORIGINS", "https://App.example.com", "'https://App.example.com'"),
        ("CORS_ORIGINS", "https://*.example.com", "'https://*.example.com'"),
        ("CORS_ORIGINS", "https://app.example.com:443", "'https://app.example.com:443'"),
        ("CORS_ORIGINS", "http://app.example.com:80", "'http://app.example.com:80'"),
        ("CORS_ORIGINS", "http://app.example.com:080", "'http://app.example.com:080'"),
        ("CORS_ORIGINS", "http://app.example.com:65536", "'http://app.example.com:65536'"),
        ("CORS_ORIGINS", "http://app.example.com.", "'http://app.example.com.'"),
        ("CORS_ORIGINS", "https://bücher.example", "'https://bücher.example'"),
        ("CORS_ORIGINS", "https://a.com https://b.com", "'https://a.com https://b.com'"),
        ("CORS_ORIGINS", "https://a.com,https://a.com", "'https://a.com'"),
        ("CORS_ORIGINS", "'https://a.com'", "\"'https://a.com'\""),
        ("CORS_ORIGINS", "https://user:pass/word@app.example.com", "…@app.example.com'"),
    ],
)
def test_a_fault_in_a_list_shows_the_item(name: str, value: str, item: str) -> None:
    assert faults({name: value}) == [f"{name} cannot be {item}; it must be {allowed_values(name.lower())}."]


@pytest.mark.parametrize(
    ("value", "item"),
    [
        ('"secret"', 1),
        ("'secret'", 1),
        ("`secret`", 1),
        ("secret token", 1),
        ("first,secret token", 2),
        ("secret\ttoken", 1),
        ("first,,secret", 2),
        ("secret,", 2),
        (",", 1),
        ("secret,first,secret", 3),
        ("secret-tökén", 1),
        ("“secret”", 1),
        ("first,secret\x7f", 2),
    ],
)
def test_a_fault_in_a_token_gives_its_place_but_does_not_show_it(value: str, item: int) -> None:
    assert faults({"API_TOKENS": value}) == [
        f"API_TOKENS cannot be (item {item}, not shown here); it must be {allowed_values('api_tokens')}."
    ]


@pytest.mark.parametrize("key", ["'secret'", "secret key", "secret-kéy", "`secret`", "user:secret@host "])
def test_a_fault_in_a_key_does_not_show_it(key: str) -> None:
    fault = f"CLEARBIT_API_KEY cannot be (not shown here); it must be {allowed_values('clearbit_api_key')}."

    assert faults({"CLEARBIT_API_KEY": f"{key} x"}) == [fault]


@pytest.mark.parametrize(
    "origin", ["http://localhost:3000", "https://app.example.com", "http://[::1]:8080", "http://a:65535"]
)
def test_origins_are_accepted_as_browsers_send_them(origin: str) -> None:
    assert Settings.from_env({"CORS_ORIGINS": f"https://a.com, {origin}"}).cors_origins == ("https://a.com", origin)


def test_a_token_may_have_all_visible_ascii_characters_but_quotes_and_the_comma() -> None:
    token = "".join(char for char in map(chr, range(0x21, 0x7F)) if char not in "\"'`,")

    assert Settings.from_env({"API_TOKENS": token}).api_tokens == (token,)


def test_whitespace_around_values_is_ignored_and_a_path_keeps_its_case_and_spaces() -> None:
    """The readers of env files leave spaces and the carriage returns of Windows."""
    settings = Settings.from_env(
        {
            "LOG_FORMAT": "JSON\r",
            "MAX_PENDING_JOBS": " 5 ",
            "CASE_STUDIES_FILE": "/srv/Case Studies.json\r",
            "API_TOKENS": "a\r",
        }
    )

    assert (settings.log_format, settings.max_pending_jobs) == ("json", 5)
    assert settings.case_studies_file == "/srv/Case Studies.json"
    assert settings.api_tokens == ("a",)


def test_all_faults_are_in_one_list() -> None:
    listed = faults({"AUTH": "basic", "LOG_LEVEL": "loud", "MAX_BODY_BYTES": "1"})

    assert [fault.split()[0] for fault in listed] == ["MAX_BODY_BYTES", "AUTH", "LOG_LEVEL"]


def test_a_fault_does_not_show_the_password_of_a_proxy() -> None:
    (fault,) = faults({"OUTBOUND_PROXY": "user:secret@proxy"})

    assert fault.startswith("OUTBOUND_PROXY cannot be …@proxy'; ")


def test_the_constructor_checks_the_same_bounds() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(max_pending_jobs=0, simulated_lookup_seconds=math.nan, api_tokens=("a b",))

    assert [fault.split()[0] for fault in refused.value.faults] == [
        "SIMULATED_LOOKUP_SECONDS",
        "MAX_PENDING_JOBS",
        "API_TOKENS",
    ]
    assert str(refused.value).startswith("The settings are not usable:\n  - SIMULATED_LOOKUP_SECONDS cannot be nan;")


@pytest.mark.parametrize("tokens", ["secret", ["secret", "secret"], ("secret", "secret"), (1,)])
def test_the_constructor_does_not_show_tokens_either(tokens: object) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(api_tokens=tokens)  # type: ignore[arg-type]

    assert "secret" not in str(refused.value)
