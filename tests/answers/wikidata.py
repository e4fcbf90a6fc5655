"""
The Action API of Wikidata, with a few items.
"""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.upstreams import Answer, Received, Reply

Json = dict[str, Any]


def snak(value: Any) -> Json:
    return {"snaktype": "value", "datavalue": {"value": value}}


NO_VALUE: Json = {"snaktype": "novalue"}


def claim(value: Any, rank: str = "normal", **qualifiers: Any) -> Json:
    """A statement; an unknown value is given as `NO_VALUE`."""
    return {
        "rank": rank,
        "mainsnak": value if value is NO_VALUE else snak(value),
        "qualifiers": {name: [snak(each)] for name, each in qualifiers.items()},
    }


def ref(item_id: str) -> Json:
    return {"entity-type": "item", "id": item_id}


def at(day: str, precision: int = 11) -> Json:
    return {"time": f"+{day}T00:00:00Z", "precision": precision}


def amount(number: str, unit: str | None = None) -> Json:
    return {"amount": number, "unit": f"http://www.wikidata.org/entity/{unit}" if unit else "1"}


def entity(label: str | None, description: str | None = None, **claims: Any) -> Json:
    texts = {"labels": label, "descriptions": description}
    return {
        **{name: {"en": {"language": "en", "value": text}} if text else {} for name, text in texts.items()},
        "claims": {name: each if isinstance(each, list) else [each] for name, each in claims.items()},
    }


ACME = entity(
    "Acme",
    "American maker of rockets",
    P856=claim("https://www.acme.example/"),
    P452=[claim(ref("Q100")), claim(ref("Q101"))],
    P1056=claim(ref("Q102")),
    P159=claim(ref("Q110")),
    P17=claim(ref("Q30")),
    P571=claim(at("1987-00-00", 9)),
    P1128=[
        claim(amount("+900"), P585=at("2019-12-31")),
        claim(amount("+1200"), P585=at("2024-09-28")),
        claim(amount("+5000")),
        claim(amount("+99999"), "deprecated", P585=at("2025-01-01")),
    ],
    P2139=[
        claim(amount("+2000000000", "Q4917"), P585=at("2024-12-31")),
        claim(amount("+1600000000", "Q4917"), P585=at("2023-00-00", 9)),
        claim(amount("+3000000000", "Q4916"), P585=at("2022-12-31")),
        claim(NO_VALUE),
    ],
    P2295=claim(amount("-50000000", "Q4917"), P585=at("2024-12-31")),
    P414=[
        claim(ref("Q82059"), P249="ACME"),
        claim(ref("Q13677"), P249="ACM", P582=at("2001-01-01")),
    ],
    P5531=claim("1234567"),
)
"A listed company, as most things are told of one."

ITEMS: Mapping[str, Json] = {
    "Q1": ACME,
    "Q2": entity(  # found by its name only
        "Betamax GmbH",
        "German software company",
        P856=claim("https://betamax.example/de/"),
        P452=claim(ref("Q100")),
        P17=claim(ref("Q183")),
        P159=claim(ref("Q111")),
        P2139=claim(amount("+7500000", "Q4916"), P585=at("2023-00-00", 9)),
        P414=claim(ref("Q151139"), P249="BTX", P582=at("2020-01-01")),
    ),
    "Q3": entity(  # a product, on the company's website
        "Acme Rocket", P856=claim("https://www.acme.example/"), P1056=claim(ref("Q102"))
    ),
    "Q4": entity("Twin One", P856=claim("https://twin.example/"), P452=claim(ref("Q100"))),
    "Q5": entity("Twin Two", P856=claim("https://twin.example/"), P452=claim(ref("Q100"))),
    "Q6": entity(
        "Gone Ltd", P856=claim("https://gone.example/"), P452=claim(ref("Q100")), P576=claim(at("2010-01-01"))
    ),
    "Q7": entity("Jane Doe", P856=claim("https://person.example/"), P31=claim(ref("Q5")), P169=claim(ref("Q7"))),
    "Q8": entity("Former", P856=claim("https://former.example/", P582=at("2015-01-01")), P452=claim(ref("Q100"))),
    "Q9": entity("Bare", P856=claim("https://bare.example/")),
    "Q20": entity(  # similar to Acme
        "Rival",
        P856=claim("https://www.rival.example/"),
        P452=claim(ref("Q100")),
        P1056=claim(ref("Q102")),
        P17=claim(ref("Q30")),
    ),
    "Q21": entity("Cousin", P856=claim("http://cousin.example"), P452=claim(ref("Q100")), P17=claim(ref("Q30"))),
    "Q22": entity(
        "Subsidiary",
        P856=claim("https://sub.example/"),
        P452=claim(ref("Q101")),
        P17=claim(ref("Q30")),
        P749=claim(ref("Q1")),
    ),
    "Q23": entity("Nowhere", P452=claim(ref("Q101")), P17=claim(ref("Q30"))),
    "Q24": entity("Odd", P856=[claim("http://[bad"), claim("nohost")], P452=claim(ref("Q101")), P17=claim(ref("Q30"))),
    "Q30": entity("United States of America"),
    "Q100": entity("Aerospace"),
    "Q101": entity("Software"),
    "Q102": entity("Rocket"),
    "Q110": entity("Austin"),
    "Q111": entity("Munich"),
    "Q183": entity("Germany"),
    "Q4916": entity("euro", P498=claim("EUR")),
    "Q82059": entity("Nasdaq"),
    "Q13677": entity("New York Stock Exchange"),
    "Q151139": entity("Frankfurt Stock Exchange"),
}


def wikidata(items: Mapping[str, Json] = ITEMS) -> Answer:
    """Answer from these items. Without a contact in the User-Agent, refuse."""

    def answer(received: Received) -> Reply:
        if "example.com" not in received.headers["user-agent"]:
            return Reply(b"Please set a user-agent and respect our robot policy", 403, {"content-type": "text/plain"})
        url = urlsplit(received.target)
        if url.path != "/w/api.php":
            return Reply(b"Not found", 404, {"content-type": "text/plain"})
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        assert query["format"] == "json"
        return Reply(json.dumps(ACTIONS[query["action"]](items, query)).encode())

    return answer


def _search(items: Mapping[str, Json], query: Mapping[str, str]) -> Json:
    wanted = [each.removeprefix("haswbstatement:").split("=", 1) for each in query["srsearch"].split(" ")]
    hits = [item_id for item_id, item in items.items() if all(value in _values(item, name) for name, value in wanted)]
    found = [{"ns": 0, "title": item_id} for item_id in hits[: int(query["srlimit"])]]
    return {"query": {"searchinfo": {"totalhits": len(hits)}, "search": found}}


def _values(item: Json, name: str) -> list[str]:
    values = [each["mainsnak"].get("datavalue", {}).get("value") for each in item["claims"].get(name, [])]
    return [value["id"] if isinstance(value, dict) and "id" in value else value for value in values]


def _named(items: Mapping[str, Json], query: Mapping[str, str]) -> Json:
    name = query["search"].casefold()
    labels = {item_id: item["labels"].get("en", {}).get("value", "") for item_id, item in items.items()}
    return {
        "search": [{"id": key, "label": label} for key, label in labels.items() if label.casefold().startswith(name)]
    }


def _entities(items: Mapping[str, Json], query: Mapping[str, str]) -> Json:
    assert query["languages"] == "en"
    ids = query["ids"].split("|")
    props = query["props"].split("|")
    return {
        "entities": {
            item_id: {"id": item_id, **{prop: items[item_id][prop] for prop in props}}
            if item_id in items
            else {"id": item_id, "missing": ""}
            for item_id in ids
        }
    }


ACTIONS = {"query": _search, "wbsearchentities": _named, "wbgetentities": _entities}
