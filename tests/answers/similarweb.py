"""
SimilarWeb, with the sample answers of both of its interfaces.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from tests.adapters import answers, reply
from tests.upstreams import Received, Reply

SAMPLES: Final[Mapping[str, Any]] = answers("similarweb")
PREFIX: Final = "/v5/website-analysis/"
WRONG_KEY: Final = Reply(b"invalid API key", 401, {"content-type": "text/plain"})
NOT_IN_RANGE: Final = reply(
    {"meta": {"status": "Error", "error_code": 101, "error_message": "Dates not in range"}}, 400
)


class Service:
    """
    Answers those who have the key, with data of the months up to `newest`.

    `changes` has what is answered instead, by path: a reply, or the content of an answer.
    """

    def __init__(self, key: str) -> None:
        self.newest = "2026-01"
        self.changes: dict[str, Any] = {}
        self._key = key

    def __call__(self, received: Received) -> Reply:
        path, params = request(received)
        name = path.removeprefix(PREFIX)
        known = SAMPLES["v5"].get(name) or SAMPLES["legacy"].get(name[1:])
        found = self.changes.get(name, SAMPLES["capabilities"] if path == "/capabilities" else known)
        if isinstance(found, Reply):
            return found
        if self._key not in (received.headers.get("api-key"), params.get("api_key")):
            return WRONG_KEY
        if params.get("end_date", "") > self.newest:
            return NOT_IN_RANGE
        if found is None:
            return reply({"error": "no such path"}, 404)
        return envelope(found, params) if path.startswith(PREFIX) else reply(found)


def request(received: Received) -> tuple[str, dict[str, str]]:
    """The path and the parameters of a request."""
    url = urlsplit(received.target)
    return url.path, {name: values[0] for name, values in parse_qs(url.query).items()}


def envelope(rows: Any, params: dict[str, str]) -> Reply:
    """Rows as V5 sends them, with what it has understood; of a dictionary, those of the kind of device."""
    echo = {name: params[name] for name in ("domain", "start_date", "web_source") if name in params}
    meta = {"request": echo, "status": "success", "last_updated": "2026-01-31", "data_credits_charged": 2}
    return reply({"meta": meta, "data": rows[params["web_source"]] if isinstance(rows, dict) else rows})
