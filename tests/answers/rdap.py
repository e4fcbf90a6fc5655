"""
IANA's list of RDAP servers, and the answer of a registry.
"""

import json
from typing import Any

from tests.upstreams import Answer, Received, Reply

DOMAIN: dict[str, Any] = {
    "objectClassName": "domain",
    "ldhName": "ACME.EXAMPLE",
    "status": ["client transfer prohibited"],
    "events": [
        {"eventAction": "registration", "eventDate": "1995-08-14T04:00:00Z"},
        {"eventAction": "expiration", "eventDate": "2027-08-13T04:00:00Z"},
        {"eventAction": "last changed", "eventDate": "2026-01-01T00:00:00Z"},
    ],
    "entities": [
        {"roles": ["abuse"], "vcardArray": ["vcard", [["fn", {}, "text", "Abuse"]]]},
        {
            "roles": ["registrar"],
            "handle": "292",
            "vcardArray": ["vcard", [["version", {}, "text", "4.0"], ["fn", {}, "text", "Registrar, Inc."]]],
        },
    ],
    "nameservers": [{"ldhName": "NS1.ACME.EXAMPLE"}, {"ldhName": None}],
    "secureDNS": {"delegationSigned": False},
}


def bootstrap(url: str) -> Reply:
    """IANA's list, by which that server is in charge of `.example`."""
    services = [
        [["EXAMPLE"], [f"{url}/registry/"]],
        [["both"], [f"{url}/", "https://tls.example.com/"]],
        [["none"], []],
    ]
    return Reply(json.dumps({"version": "1.0", "services": services}).encode())


def redirector() -> Answer:
    """Redirect to the registry, which is on the same host, as rdap.org does."""

    def answer(received: Received) -> Reply:
        if received.target.startswith("/domain/"):
            return Reply(b"", 302, {"location": f"/registry{received.target}"})
        if received.target == "/registry/domain/acme.example":
            return Reply(json.dumps(DOMAIN).encode(), headers={"content-type": "application/rdap+json"})
        return Reply(b"", 404, {})

    return answer
