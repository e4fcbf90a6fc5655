"""
DNS records, asked for over HTTPS in Google's JSON form (https://developers.google.com/speed/public-dns/docs/doh/json).
"""

from typing import Final, Literal

import msgspec

from enrichment.sources.failures import UpstreamError
from enrichment.sources.http import Client
from enrichment.sources.messages import HttpRequest, HttpResponse
from enrichment.sources.upstream import Upstream

DOH_BASE_URL: Final = "https://dns.google"
RecordType = Literal["A", "CNAME", "MX", "TXT"]
NUMBERS: Final[dict[RecordType, int]] = {"A": 1, "CNAME": 5, "MX": 15, "TXT": 16}
NO_ERROR: Final = 0
NO_SUCH_NAME: Final = 3
MAX_RECORDS: Final = 200


class Record(msgspec.Struct, frozen=True):
    """A record of an answer."""

    type: int
    data: str


class DnsAnswer(msgspec.Struct, frozen=True, rename={"status": "Status", "answer": "Answer"}):
    """The answer to a question. Without records, or without the name, there is no `Answer`."""

    status: int
    answer: tuple[Record, ...] | None = None


class DnsOverHttps:
    """Looks up DNS records."""

    def __init__(self, client: Client, base_url: str = DOH_BASE_URL) -> None:
        self._client = client
        self._base_url = base_url
        self.upstream = Upstream(name="fingerprints", requests_per_second=10, trusted_origins=(base_url,))

    async def look_up(self, name: str, record_type: RecordType) -> tuple[str, ...]:
        """
        Return the data of a name's records, none if there is no such name.

        Those of type CNAME are all names of the chain that leads from the name to its addresses.
        """
        asked = "A" if record_type == "CNAME" else record_type
        request = HttpRequest(url=f"{self._base_url}/resolve", params={"name": name, "type": asked})
        answer = await self._client.fetch(self.upstream, request, _answer)
        records = [record for record in answer.answer or () if record.type == NUMBERS[record_type]]
        return tuple(_plain(record.data, record_type) for record in records[:MAX_RECORDS])


def _answer(response: HttpResponse) -> DnsAnswer:
    answer = response.raise_for_status().json(DnsAnswer)
    if answer.status not in (NO_ERROR, NO_SUCH_NAME):
        raise UpstreamError(f"The name servers of the domain fail, with code {answer.status}.")
    return answer


def _plain(data: str, record_type: RecordType) -> str:
    """Return a host without its final dot and an MX record's priority, or a text as one, without quotation marks."""
    if record_type == "TXT":
        return data.replace('" "', "").removeprefix('"').removesuffix('"')
    return data.rpartition(" ")[2].removesuffix(".").lower()
