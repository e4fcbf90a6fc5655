"""
Pages that a website shows to robots instead of its own, to find out whether they are people.
"""

from typing import Final

from enrichment.sources.messages import HttpResponse

HEADERS: Final = {
    "cf-mitigated": "challenge",
    "x-amzn-waf-action": "",
    "x-vercel-mitigated": "",
    "x-datadome": "protected",
    "x-kpsdk-ct": "",
}
"Headers that come with such pages only, and what is in them."
MARKS: Final = (
    b"_Incapsula_Resource",
    b"AwsWafIntegration",
    b"captcha-delivery.com",
    b"px-captcha",
    b"sgcaptcha",
    b"<title>Just a moment...</title>",
    b"<title>Pardon Our Interruption",
    b"<title>Access to this page has been denied",
    b"Checking your browser before accessing",
)
"What such pages contain."
REFUSAL_MARKS: Final = (b"/cdn-cgi/challenge-platform/", b"cf-chl-", b"errors.edgesuite.net", b"Attention Required!")
"The same, but these are in ordinary pages as well, or in text about such pages."
MAX_BYTES: Final = 20_000
"Of such a page with status 200. It has no heading."


def is_challenge(response: HttpResponse) -> bool:
    """Whether the response is a challenge page, whatever its status."""
    headers, body = response.headers, response.body
    if response.status >= 400 or response.status == 202:
        return any(value in headers[name] for name, value in HEADERS.items() if name in headers) or any(
            mark in body for mark in (*MARKS, *REFUSAL_MARKS)
        )
    return len(body) <= MAX_BYTES and b"<h1" not in body and any(mark in body for mark in MARKS)
