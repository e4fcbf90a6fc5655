"""
The OpenAPI document: valid, complete, true for the settings, and with examples that are real answers.
"""

import json
import re
from collections.abc import Iterator
from typing import Any, Final

import httpx
import msgspec
import pytest
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.applications import Starlette
from starlette.routing import Mount

import schemas
from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.web import openapi
from enrichment.web.endpoint import Endpoint
from enrichment.web.openapi import EXAMPLES, document
from enrichment.web.problem_types import PROBLEM_TYPES
from service import ROUTES, create_app
from tests import examples
from tests.conftest import FakeClock, client_of

TOKENS: Final = Settings(api_tokens=("t",))
ALL_SETTINGS: Final = [Settings(), TOKENS, Settings(auth="off")]
DOCUMENT: Final[dict[str, Any]] = json.loads(msgspec.json.encode(document(ROUTES, TOKENS)))
SCHEMAS: Final[dict[str, Any]] = DOCUMENT["components"]["schemas"]


def operations(of: dict[str, Any] = DOCUMENT) -> dict[str, dict[str, Any]]:
    """The operations by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in of["paths"].items()
        for method, operation in methods.items()
    }


def resolve(value: dict[str, Any]) -> dict[str, Any]:
    """What a reference refers to, or the value itself."""
    for step in value["$ref"].split("/")[1:] if "$ref" in value else ():
        value = value[step] if step != "components" else DOCUMENT["components"]
    return value


def parts(value: Any, path: str = "#") -> Iterator[tuple[str, dict[str, Any]]]:
    """Every object in the document, but for those in examples, with its place."""
    if isinstance(value, dict):
        yield path, value
    for key, item in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key not in ("example", "examples"):
            yield from parts(item, f"{path}/{key}")


@pytest.mark.parametrize("settings", ALL_SETTINGS)
def test_the_document_is_valid(settings: Settings) -> None:
    encoded = json.loads(msgspec.json.encode(document(ROUTES, settings)))

    assert list(OpenAPIV31SpecValidator(encoded).iter_errors()) == []


def test_every_route_is_an_operation_with_texts() -> None:
    rows = {f"{openapi.method_of(route)} {route.path}" for route in ROUTES}

    assert operations().keys() == rows
    for name, operation in operations().items():
        assert re.fullmatch(r"[A-Z].{8,110}[^.]", operation["summary"]), name
        for parameter in map(resolve, operation["parameters"]):
            assert re.fullmatch(r"[A-Z].*\.", parameter["description"]), (name, parameter["name"])
        for status, response in operation["responses"].items():
            assert resolve(response)["description"], (name, status)
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    assert {tag["name"] for tag in DOCUMENT["tags"]} == {tag for each in operations().values() for tag in each["tags"]}
    assert all(re.fullmatch(r"The handlers .*\.", tag["description"], re.DOTALL) for tag in DOCUMENT["tags"])


def test_every_schema_and_field_has_a_description() -> None:
    assert len(SCHEMAS) > 80
    for name, schema in SCHEMAS.items():
        assert schema["description"], name
        if name != "ModuleAnswers":  # its fields are the modules, which `ModuleId` describes
            for field, content in schema.get("properties", {}).items():
                assert re.fullmatch(r"[A-Z`].*[.)]", content.get("description", "")), f"{name}.{field}"


def test_every_reference_leads_to_something_and_every_component_is_used() -> None:
    references = {value["$ref"] for _, value in parts(DOCUMENT) if "$ref" in value}
    mapped = {ref for _, value in parts(DOCUMENT) for ref in value.get("mapping", {}).values()}
    in_responses = {
        each["$ref"]
        for _, value in parts(DOCUMENT)
        for each in (value.get("examples") or {}).values()
        if isinstance(value.get("content", value.get("schema")), dict)
    }
    existing = {
        f"#/components/{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        for name in components
        if kind != "securitySchemes"
    }

    assert references | mapped | in_responses == existing


def test_every_code_of_the_catalogue_is_described_where_it_is_given() -> None:
    given = {
        code
        for settings in ALL_SETTINGS
        for response in document(ROUTES, settings)["components"]["responses"].values()
        for code in response["content"]["application/problem+json"]["examples"]
    }

    assert given == PROBLEM_TYPES.keys()


def test_a_code_stands_in_the_answer_with_its_status() -> None:
    for name, operation in operations().items():
        for status, response in operation["responses"].items():
            for code in resolve(response).get("content", {}).get("application/problem+json", {}).get("examples", ()):
                assert PROBLEM_TYPES[code].status == int(status), (name, code)
                assert f"- `{code}`: " in resolve(response)["description"]


@pytest.mark.parametrize(("settings", "closed"), list(zip(ALL_SETTINGS, [15, 17, 0], strict=True)))
def test_only_what_takes_a_token_is_said_to_take_one(settings: Settings, closed: int) -> None:
    found = document(ROUTES, settings)
    secured = [operation for operation in operations(found).values() if operation["security"]]

    assert len(secured) == closed
    for operation in operations(found).values():
        assert ("401" in operation["responses"]) == bool(operation["security"])
    assert ("securitySchemes" in found["components"]) == (settings.auth == "bearer")
    assert ("403" in found["paths"]["/enrich"]["post"]["responses"]) == (settings.auth == "off")


def test_each_module_has_its_answer_by_name() -> None:
    results = SCHEMAS["JobResults"]["properties"]["results"]
    answers = resolve({"$ref": results["$ref"]})["properties"]

    assert list(answers) == list(MODULES) == SCHEMAS["ModuleId"]["enum"]
    for module in MODULES.values():
        assert answers[module.id] == {"$ref": f"#/components/schemas/{module.answer.__name__}"}
    assert SCHEMAS["StartRequest"]["properties"]["modules"]["anyOf"][0]["items"]["$ref"].endswith("/ModuleId")


def test_fields_that_are_always_sent_are_required() -> None:
    assert SCHEMAS["PendingJob"]["required"] == ["job_id", "status"]
    assert SCHEMAS["JobStatus"]["required"] == list(SCHEMAS["JobStatus"]["properties"])
    assert "monthly_visits" in SCHEMAS["Traffic"]["required"]
    assert "evidence" not in SCHEMAS["Technology"]["required"]
    assert "errors" not in SCHEMAS["Problem"]["required"]
    assert "required" not in SCHEMAS["StartRequest"]
    assert SCHEMAS["BlueprintRequest"]["required"] == ["website_url"]


def test_parameters_are_those_of_the_query() -> None:
    by_name = {parameter.get("name"): parameter for parameter in operations()["GET /api/v1/enrich"]["parameters"]}

    assert by_name["limit"]["schema"] == {"type": "integer", "minimum": 1, "maximum": 100, "default": 50}
    assert by_name["domain"]["schema"] == {"type": "string", "format": "company-domain"}
    assert by_name["status"]["schema"] == {"type": "array", "items": {"$ref": "#/components/schemas/JobState"}}
    assert not any(parameter.get("required") for parameter in by_name.values())


def test_links_lead_from_a_new_job_to_what_can_be_asked_about_it() -> None:
    by_name = {operation["operationId"]: operation for operation in operations().values()}
    links = {
        name: {link: tuple(target["parameters"]) for link, target in operation["responses"]["202"]["links"].items()}
        for name, operation in by_name.items()
        if "202" in operation["responses"]
    }

    assert links["start_lookup"] == {"read_lookup": ("path.job_id",)}
    assert links["start_batch"]["read_batch"] == ("path.batch_id",)
    assert links["start_enrichment"].keys() == links["retry_enrichment"].keys()
    assert links["start_enrichment"]["read_results"] == ("path.domain", "query.job_id")
    assert {"read_status", "read_results", "cancel_enrichment", "read_cache"} <= links["start_enrichment"].keys()
    assert {link for found in links.values() for link in found} <= by_name.keys()


# Examples

WITHOUT_EXAMPLES: Final = {
    "GET /openapi.json",
    "GET /llms.txt",
    "GET /docs",
    "GET /docs/{file}",
    "GET /campaigns/enrichment",  # those of the POST
    "GET /api/v1/campaigns/enrichment",
}


def test_the_examples_are_up_to_date() -> None:
    """`python -m tests.examples` records them."""
    assert EXAMPLES.read_text("utf-8") == examples.written()


def test_every_answer_has_an_example_of_its_shape() -> None:
    for name, operation in operations().items():
        for status, response in operation["responses"].items():
            for media_type, content in resolve(response).get("content", {}).items():
                values = [resolve(example)["value"] for example in content.get("examples", {}).values()]
                assert values or name in WITHOUT_EXAMPLES, (name, status, media_type)
                for value in values:
                    assert errors_of(value, content["schema"]) == [], (name, status, media_type)


def test_examples_of_parameters_fit_them() -> None:
    found = [
        (name, parameter, errors_of(parameter["example"], parameter["schema"]))
        for name, operation in operations().items()
        for parameter in operation["parameters"]
        if "example" in parameter
    ]

    assert len(found) > 10
    assert [(name, parameter) for name, parameter, errors in found if errors] == []


def test_every_body_has_an_example_of_its_shape() -> None:
    for name, operation in operations().items():
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        if content and name != "POST /api/v1/enrich/{domain}/retry":
            assert errors_of(content["example"], content["schema"]) == []


def errors_of(value: Any, schema: dict[str, Any]) -> list[str]:
    whole = {**schema, "components": DOCUMENT["components"]}
    return [error.message for error in OAS31Validator(whole).iter_errors(value)]


# Over HTTP


async def test_the_document_is_served_and_made_once(clock: FakeClock) -> None:
    app = create_app(TOKENS, clock=clock)
    async with client_of(app) as client:
        answers = [await client.get("/openapi.json") for _ in range(2)]
        made = app.state.documents.openapi
        await client.get("/openapi.json")

    assert answers[0].json() == answers[1].json() == DOCUMENT
    assert answers[0].headers["content-type"] == "application/json"
    assert answers[0].headers["content-encoding"] == "gzip"
    assert app.state.documents.openapi is made


def test_nothing_is_made_before_it_is_asked_for() -> None:
    assert "openapi" not in vars(create_app(TOKENS).state.documents)


async def test_the_server_is_where_the_app_is_mounted(clock: FakeClock) -> None:
    app = create_app(TOKENS, clock=clock)
    host = Starlette(routes=[Mount("/crm/le ads", app=app), Mount("/{tenant}/b", app=app)])
    async with httpx.AsyncClient(transport=httpx.ASGITransport(host), base_url="http://host") as client:
        mounted = (await client.get("/crm/le ads/openapi.json")).json()
        other = (await client.get('/a"b/b/openapi.json')).json()

    assert mounted == {**DOCUMENT, "servers": [{"url": "/crm/le%20ads"}]}
    assert other["servers"] == [{"url": "/a%22b/b"}]


async def test_docs_off_hides_the_document(clock: FakeClock) -> None:
    async with client_of(create_app(Settings(docs="off"), clock=clock)) as client:
        hidden = [await client.get(path) for path in ("/openapi.json", "/llms.txt")]

    assert [(each.status_code, each.json()["code"]) for each in hidden] == [(404, "not_found")] * 2


def test_other_media_types_are_described() -> None:
    async def handler() -> None:
        """Do something."""

    route = Endpoint(
        "POST",
        "/leads",
        handler,  # type: ignore[arg-type]
        body=schemas.BatchRequest,
        body_as=("text/csv",),
        gives={200: schemas.JobList},
        also={"text/csv": str, "application/x-ndjson": schemas.ListedJob},
    )
    operation = document([route], TOKENS)["paths"]["/leads"]["post"]

    assert operation["requestBody"]["content"]["text/csv"] == {"schema": {"type": "string"}}
    content = operation["responses"]["200"]["content"]
    assert content["text/csv"]["schema"] == {"type": "string"}
    assert content["application/x-ndjson"]["schema"]["x-lines"] == {"$ref": "#/components/schemas/ListedJob"}
