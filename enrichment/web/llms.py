"""
`/llms.txt`: how to call the service, in a page of text for language models (https://llmstxt.org).
"""

import inspect
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from enrichment.modules.table import MODULES
from enrichment.settings import Settings
from enrichment.web.endpoint import Endpoint
from enrichment.web.openapi import DESCRIPTION, EXAMPLES, JSON, method_of, needs_token, tag_of
from enrichment.web.problem_types import PROBLEM_TYPES

ROOT: Final = "{root}"
"In the text, the path below which the app is mounted."

TEXT: Final = """\
# Lead enrichment

> {description}

- {authorization}
- Send JSON bodies. Unknown fields and unknown query parameters are refused.
- A POST that starts work is answered 202: wait for `Retry-After` seconds, then GET the path in `Location` until
  `status` is `completed`, `failed` or `cancelled` (of `/enrich`: `complete` or `failed`).
- A `{{domain}}` may be spelled as people spell it; a URL in a path has to be percent-encoded.
- Every error is `application/problem+json`: `code` is for programs, `detail` says what is wrong and what is possible.
  {problems}.
- Answers with `"simulated": true` are invented. Do not present them as facts.
- The whole description, with the shape of every answer: [{root}/openapi.json]({root}/openapi.json) (OpenAPI 3.1).

## Requests

{requests}

For example, `POST {root}/api/v1/enrich/{domain}` with `{body}` is answered `{answer}`.

## Modules

{modules}
"""


def llms_txt(routes: Sequence[Endpoint], settings: Settings) -> str:
    """Return the text for these routes and settings; `{root}` stands for the path of a mount."""
    shown = list({route.endpoint: route for route in routes if tag_of(route) != "documents"}.values())
    return TEXT.format(
        root=ROOT,
        description=DESCRIPTION,
        authorization=_authorization(shown, settings),
        problems=", ".join(f"{kind.status} `{kind.code}`" for kind in PROBLEM_TYPES.values()),
        requests="\n".join(_request(route) for route in shown),
        **_example(),
        modules="\n".join(f"- `{module.id}`: {module.asks}" for module in MODULES.values()),
    )


def _authorization(routes: Iterable[Endpoint], settings: Settings) -> str:
    if settings.auth == "off":
        return "The host application decides who may call the service."
    is_open = [f"`{method_of(route)} {route.path}`" for route in routes if not needs_token(route, settings)]
    return f"Send the header `Authorization: Bearer <token>`, except to {', '.join(is_open)}."


def _request(route: Endpoint) -> str:
    summary = " ".join((inspect.getdoc(route.endpoint) or "").partition("\n\n")[0].split())
    query = [field.encode_name for field in msgspec.structs.fields(route.query)]
    body = [field.encode_name for field in msgspec.structs.fields(route.body)] if route.body else []
    facts = [f"Query: {_listed(query)}."] * bool(query) + [f"Body: {_listed(body)}."] * bool(body)
    forms = [media_type for media_type in route.also if route.media_type == JSON]
    facts += [f"Also as {_listed(forms)}."] * bool(forms)
    return " ".join([f"- `{method_of(route)} {ROOT}{route.path}`: {summary}", *facts])


def _example() -> dict[str, str]:
    """Return a recorded request and its answer."""
    recorded = msgspec.json.decode(EXAMPLES.read_bytes())["operations"]["start_enrichment"]
    body, answer = (msgspec.json.encode(each).decode() for each in (recorded["body"], recorded["202"][JSON]))
    return {"domain": recorded["path"]["domain"], "body": body, "answer": answer}


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
