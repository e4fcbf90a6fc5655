"""
What a web page says in its markup: title, meta elements, links, headings, JSON-LD, and the hosts that it loads from.

Pages are hostile until proven otherwise: all matching takes linear time, and everything that is kept is limited.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser, LexborNode

from enrichment.sources.json_ld import MAX_TEXT, Items, clean, read_json_ld

MAX_TAGS: Final = 20_000
"""
Tags that are read of a page. For each tag, a parser of HTML searches the elements that are open: `<div>` 50,000 times,
which is 250 kB, took it 13 s, and 10,000 times 0.4 s (selectolax 1.0.2).
"""
PIECE: Final = 65_536
"Characters that are searched at a time."
MAX_LINKS: Final = 1_000
MAX_RESOURCES: Final = 1_000
MAX_META: Final = 200
MAX_HEADINGS: Final = 100
MAX_HOSTS: Final = 2_000
MAX_SHORT: Final = 500
"Characters of a title, a heading or a link's text."
MAX_URL: Final = 2_000

TAG: Final = re.compile(r"</?[a-zA-Z]")
FORMATTING: Final = re.compile(
    r"<(/?)(?:b|big|code|em|font|i|nobr|s|small|strike|strong|tt|u)(?=[\s/>])", re.IGNORECASE
)
"""
Elements that HTML opens again in each new paragraph if they were not closed: 500 of them, then `<p>x` 2,000 times, are
a million elements. Under another name, they are elements like any other.
"""
HOST: Final = re.compile(r"(?://|\\/\\/|\\u002[fF]\\u002[fF])([a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{1,63}){1,8})")
"A host in a URL, in a script or in JSON."
PARAGRAPH: Final = re.compile(
    r"</?(?:p|div|br|li|ul|ol|h[1-6]|blockquote|section|article|header|footer|main|aside|tr|td|th|dt|dd|figcaption|cite)"
    r"(?=[\s/>])",
    re.IGNORECASE,
)
"Where a line of text ends."
BREAK: Final = "\x1e"
JOB_BOARD: Final = re.compile(
    r"(?:job-)?boards(?:\.eu)?\.greenhouse\.io/(?:embed/job_board(?:/js)?\?for=)?[\w-]{1,100}"
    r"|jobs(?:\.eu)?\.lever\.co/[\w.-]{1,100}"
    r"|jobs\.ashbyhq\.com/[\w.%-]{1,100}"
)
JOB_BOARD_NAMES: Final = ("greenhouse.io/", "lever.co/", "ashbyhq.com/")
LONGEST_BEFORE: Final = len("job-boards.eu.")
LONGEST_AFTER: Final = 150
"Characters of the URL of a job board before and after the vendor's name."
MAX_JOB_BOARDS: Final = 10

REFRESH: Final = re.compile(r"""\s*[0-5](?:\.\d*)?\s*[;,]\s*url\s*=\s*["']?([^"']+)""", re.IGNORECASE)

RESOURCES: Final = (
    ("script[src]", "src"),
    ("link[href]", "href"),
    ("img[src]", "src"),
    ("iframe[src]", "src"),
    ("source[src]", "src"),
    ("form[action]", "action"),
)
LINK_RELATIONS: Final = frozenset(
    {"stylesheet", "preload", "modulepreload", "preconnect", "dns-prefetch", "prefetch", "icon", "shortcut"}
)
"Of `link` elements, those with which a page loads something."


class Link(msgspec.Struct, frozen=True):
    """A link to another page."""

    url: str
    text: str


class Markup(msgspec.Struct, frozen=True, kw_only=True):
    """
    A page as read.

    `meta` has the contents of meta elements by `name` or `property`, in lower case. `alternates` are the URLs of the
    page in other languages, by `hreflang`. `refresh` is where it leads on its own. `resources` are the URLs of what the
    page loads, as they are written; `hosts` are all hosts that these URLs and scripts name. `items` are the objects of
    JSON-LD that have a type, `nested_items` those inside of others. `job_boards` are the URLs of job boards of known
    vendors.
    """

    title: str | None = None
    language: str | None = None
    canonical: str | None = None
    refresh: str | None = None
    meta: Mapping[str, tuple[str, ...]] = {}
    alternates: Mapping[str, str] = {}
    headings: tuple[str, ...] = ()
    links: tuple[Link, ...] = ()
    resources: tuple[str, ...] = ()
    hosts: frozenset[str] = frozenset()
    items: Items = ()
    nested_items: Items = ()
    job_boards: tuple[str, ...] = ()

    def first_meta(self, *names: str) -> str | None:
        """Return the first content of the first of these meta elements that there is."""
        return next((self.meta[name][0] for name in names if name in self.meta), None)


def parse(html: str, *, with_breaks: bool = False) -> LexborHTMLParser:
    """
    Return the tree of a page, cut off after `MAX_TAGS` tags, without formatting elements.

    With `with_breaks`, there is a `BREAK` in its text before each tag of a paragraph or the like.
    """
    kept, left = [], MAX_TAGS
    for piece in pieces(html):
        places = [match.start() for match in islice(TAG.finditer(piece), left + 1)]
        text = piece[: places[left]] if len(places) > left else piece
        text = FORMATTING.sub(r"<\1x-format", text)
        kept.append(PARAGRAPH.sub(rf"{BREAK}\g<0>", text) if with_breaks else text)
        left -= len(places)
        if left < 0:
            break
    return LexborHTMLParser("".join(kept), options=LexborDocumentOptions.WO_EVENTS)


def pieces(html: str) -> Iterator[str]:
    """
    Cut a page into pieces, if possible before a tag.

    While a regular expression searches a text, no other thread runs: that of 2 MB took up to 0.8 s.
    """
    start = 0
    while start < len(html):
        end = start + PIECE
        if end < len(html):
            end = max(html.rfind("<", start + 1, end), 0) or end
        yield html[start:end]
        start = end


def read_markup(html: str, url: str) -> Markup:
    """Read a page whose address is `url`."""
    tree = parse(html)
    root = tree.css_first("html")
    base = _absolute(_attribute(tree.css_first("base[href]"), "href"), url) or url
    relations = [(_attribute(node, "rel").lower().split(), node) for node in tree.css("link[rel][href]")]
    resources = tuple(islice(_resources(tree), MAX_RESOURCES))
    inline = "\n".join(node.text() for node in tree.css("script:not([src])") if _is_code(node))
    items, nested_items = read_json_ld([node.text() for node in tree.css('script[type*="ld+json" i]')])
    return Markup(
        title=_text(tree.css_first("head title") or tree.css_first("title")),
        language=_attribute(root, "lang")[:35] or None,
        canonical=next(
            (_absolute(_attribute(node, "href"), base) for names, node in relations if "canonical" in names), None
        ),
        refresh=_refresh(tree, base),
        meta=_meta(tree),
        alternates={
            _attribute(node, "hreflang").lower()[:35]: target
            for names, node in relations[:MAX_LINKS]
            if "alternate" in names and node.attributes.get("hreflang")
            if (target := _absolute(_attribute(node, "href"), base))
        },
        headings=tuple(text for node in tree.css("h1, h2")[:MAX_HEADINGS] if (text := _text(node))),
        links=tuple(islice(_links(tree, base), MAX_LINKS)),
        resources=resources,
        hosts=hosts_in("\n".join((*resources, inline))),
        items=items,
        nested_items=nested_items,
        job_boards=job_boards_in(html),
    )


def hosts_in(text: str) -> frozenset[str]:
    """Return the hosts of all URLs in a text, in lower case."""
    return frozenset(match[1].lower() for match in islice(HOST.finditer(text), MAX_HOSTS))


def job_boards_in(html: str) -> tuple[str, ...]:
    """Return the URLs of job boards of known vendors that a page mentions."""
    found: dict[str, None] = {}
    text = html.replace("\\/", "/")
    for name in JOB_BOARD_NAMES:
        place = text.find(name)
        while place >= 0 and len(found) < MAX_JOB_BOARDS:
            match = JOB_BOARD.search(text, max(0, place - LONGEST_BEFORE), place + LONGEST_AFTER)
            if match:
                found[f"https://{match[0]}"] = None
            place = text.find(name, match.end() if match else place + 1)
    return tuple(found)


def _is_code(node: LexborNode) -> bool:
    """Whether a script is run, rather than data."""
    kind = _attribute(node, "type").lower()
    return not kind or "javascript" in kind or kind == "module"


def _meta(tree: LexborHTMLParser) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for node in tree.css("meta[content]")[:MAX_META]:
        name = (_attribute(node, "property") or _attribute(node, "name")).strip().lower()[:MAX_SHORT]
        if name and (content := clean(_attribute(node, "content"), MAX_TEXT)):
            found[name] = (*found.get(name, ()), content)
    return found


def _refresh(tree: LexborHTMLParser, base: str) -> str | None:
    """Where the page leads within a few seconds, if that is another page."""
    node = tree.css_first('meta[http-equiv="refresh" i][content]')
    match = REFRESH.match(_attribute(node, "content")[:MAX_URL])
    return _absolute(match[1], base) if match else None


def _resources(tree: LexborHTMLParser) -> Iterator[str]:
    for selector, attribute in RESOURCES:
        for node in tree.css(selector):
            relation = _attribute(node, "rel").lower().split()
            if node.tag != "link" or not LINK_RELATIONS.isdisjoint(relation):
                yield _attribute(node, attribute)[:MAX_URL]


def _links(tree: LexborHTMLParser, base: str) -> Iterator[Link]:
    for node in tree.css("a[href]"):
        if target := _absolute(_attribute(node, "href"), base):
            yield Link(target, _text(node) or _attribute(node, "aria-label")[:MAX_SHORT])


def _absolute(target: str, base: str) -> str | None:
    """Return the URL without its fragment, or None if it is not of http or https."""
    target = target.strip()
    if not target or len(target) > MAX_URL:
        return None
    try:
        url = urlsplit(urljoin(base, target))
        host = url.hostname
    except ValueError:
        return None
    if url.scheme not in ("http", "https") or not host or "@" in url.netloc:
        return None
    return url._replace(fragment="").geturl()


def _attribute(node: LexborNode | None, name: str) -> str:
    """Return an attribute, an empty string if there is none or no node."""
    return (node.attributes.get(name) if node else None) or ""


def _text(node: LexborNode | None) -> str | None:
    return (" ".join(node.text().split())[:MAX_SHORT] or None) if node else None
