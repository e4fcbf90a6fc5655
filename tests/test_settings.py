"""
Settings: read from the environment, with all invalid values in one list.
"""

import math

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


def test_every_variable_is_read() -> None:
    environ = {
        "SOURCES": "simulated",
        "SIMULATED_LOOKUP_SECONDS": "0.5",
        "SIMULATED_MODULE_SECONDS": "0.25",
        "SIMULATED_FAILURES": "m01_company_context,m05_competitors",
        "CASE_STUDIES_FILE": "/tmp/Case Studies.json",
        "MAX_RUNNING_JOBS": "3",
        "JOB_DEADLINE_SECONDS": "4",
        "MAX_BATCH_DOMAINS": "5",
        "MAX_CACHED_RESULTS": "6",
        "MAX_CACHED_BYTES": "2000000",
        "MAX_CACHED_BLUEPRINTS": "9",
        "MAX_CACHED_BLUEPRINT_BYTES": "3000000",
        "MAX_PENDING_JOBS": "7",
        "MAX_FINISHED_JOBS": "8",
        "MAX_FINISHED_BYTES": "4000000",
        "JOB_RETENTION_SECONDS": "9",
        "MAX_BODY_BYTES": "1000",
        "MAX_CONNECTIONS": "10",
        "CLIENT_TIMEOUT_SECONDS": "11",
        "AUTH": "off",
        "API_TOKENS": "one, two,,three",
        "CORS_ORIGINS": "https://app.example.com, http://localhost:3000",
        "LOG_FORMAT": "JSON",
        "LOG_LEVEL": " Warning ",
        "WEB_CONCURRENCY": "2",
        "UNRELATED": "x",
    }

    assert Settings.from_env(environ) == Settings(
        sources="simulated",
        simulated_lookup_seconds=0.5,
        simulated_module_seconds=0.25,
        simulated_failures=("m01_company_context", "m05_competitors"),
        case_studies_file="/tmp/Case Studies.json",
        max_running_jobs=3,
        job_deadline_seconds=4,
        max_batch_domains=5,
        max_cached_results=6,
        max_cached_bytes=2_000_000,
        max_cached_blueprints=9,
        max_cached_blueprint_bytes=3_000_000,
        max_pending_jobs=7,
        max_finished_jobs=8,
        max_finished_bytes=4_000_000,
        job_retention_seconds=9,
        max_body_bytes=1000,
        max_connections=10,
        client_timeout_seconds=11,
        auth="off",
        api_tokens=("one", "two", "three"),
        cors_origins=("https://app.example.com", "http://localhost:3000"),
        log_format="json",
        log_level="warning",
        web_concurrency=2,
    )
    assert environ.keys() - {"UNRELATED"} == {name.upper() for name in Settings.__struct_fields__}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SOURCES", "live"),
        ("SIMULATED_LOOKUP_SECONDS", "-1"),
        ("SIMULATED_FAILURES", "traffic"),
        ("JOB_DEADLINE_SECONDS", "0"),
        ("SIMULATED_LOOKUP_SECONDS", "nan"),
        ("SIMULATED_LOOKUP_SECONDS", "inf"),
        ("SIMULATED_LOOKUP_SECONDS", "15s"),
        ("MAX_PENDING_JOBS", "0"),
        ("MAX_PENDING_JOBS", "many"),
        ("MAX_PENDING_JOBS", "1.5"),
        ("MAX_PENDING_JOBS", "9" * 5000),
        ("MAX_BODY_BYTES", "1MB"),
        ("AUTH", "basic"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("WEB_CONCURRENCY", "auto"),
    ],
)
def test_a_fault_names_the_variable_the_value_and_the_allowed_values(name: str, value: str) -> None:
    (fault,) = faults({name: value})

    assert fault.startswith(f"{name} cannot be '{value[:20]}")
    assert fault.endswith(f"; it must be {allowed_values(name.lower())}.")
    assert len(fault) < 200


def test_all_faults_are_in_one_list() -> None:
    listed = faults({"AUTH": "basic", "LOG_LEVEL": "loud", "MAX_BODY_BYTES": "1"})

    assert [fault.split()[0] for fault in listed] == ["MAX_BODY_BYTES", "AUTH", "LOG_LEVEL"]


def test_a_fault_does_not_show_a_token() -> None:
    (fault,) = faults({"API_TOKENS": "secret-tökén"})

    assert "secret" not in fault


def test_the_constructor_checks_the_same_bounds() -> None:
    with pytest.raises(SettingsError) as refused:
        Settings(max_pending_jobs=0, simulated_lookup_seconds=math.nan, api_tokens=("a b",))

    assert [fault.split()[0] for fault in refused.value.faults] == [
        "SIMULATED_LOOKUP_SECONDS",
        "MAX_PENDING_JOBS",
        "API_TOKENS",
    ]
    assert str(refused.value).startswith("The settings are not usable:\n  - SIMULATED_LOOKUP_SECONDS cannot be nan;")
