"""
The fields of all answers: each has a description, from which a reference can be generated, and each number a unit.
"""

import json
import re
from typing import Any, Final

import msgspec
import pytest

from enrichment.modules.answers import CountryShare, Keyword, Traffic
from enrichment.modules.table import MODULES

COMPONENTS: Final = msgspec.json.schema_components([module.answer for module in MODULES.values()])[1]
FIELDS: Final[dict[str, dict[str, Any]]] = {
    f"{component}.{field}": schema
    for component, content in COMPONENTS.items()
    for field, schema in content.get("properties", {}).items()
}
NUMBERS: Final = [
    name for name, schema in FIELDS.items() if re.search(r'"type": "(integer|number)"', json.dumps(schema))
]
UNIT: Final = re.compile(
    r"in percent of|over the .* before, in percent|[Nn]umber of|[Nn]umber 1 |in seconds|in days"
    r"|in (whole units of )?`currency`|[Yy]ear |from \d (\(.*\) )?to \d|points from 0 to 100|[Rr]atio of"
)


def test_every_struct_and_field_has_a_description() -> None:
    assert len(COMPONENTS) > 25
    for name, component in COMPONENTS.items():
        assert component["description"], name
    for name, schema in FIELDS.items():
        assert re.fullmatch(r"[A-Z].*[.)]", schema.get("description", "")), name


def test_every_number_has_its_unit_in_its_description() -> None:
    assert len(NUMBERS) > 60
    for name in NUMBERS:
        assert UNIT.search(FIELDS[name]["description"]), name


@pytest.mark.parametrize("name", [name for name in NUMBERS if "share" in name or "bounce_rate" in name])
def test_a_share_is_from_0_to_100(name: str) -> None:
    schema = FIELDS[name]
    number = schema.get("anyOf", [schema])[0]

    if number["type"] == "number":
        assert [number["minimum"], number["maximum"]] == [0, 100]


# fmt: off
IMPOSSIBLE: Final[list[tuple[type[msgspec.Struct], bytes]]] = [
    (Traffic,      b'{"bounce_rate": 100.1}'),
    (Traffic,      b'{"monthly_visits": -1}'),
    (Traffic,      b'{"global_rank": 0}'),
    (CountryShare, b'{"country_code": "USA", "share": 1}'),
    (Keyword,      b'{"keyword": "acme", "branded": true, "cpc": -0.1}'),
]
# fmt: on


@pytest.mark.parametrize(("shape", "body"), IMPOSSIBLE)
def test_an_impossible_value_is_refused(shape: type[msgspec.Struct], body: bytes) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(body, type=shape)
