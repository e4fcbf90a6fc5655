"""
A company's own website as a source: terms, job postings in markup, and quotes.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from enrichment.errors import SourceFailed
from enrichment.modules.answers import DepartmentRoles, ExecQuotes, HiringSignals, Keyword, Keywords, Quote
from enrichment.modules.module import Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources import failures
from enrichment.sources.homepage import NO_NEWSROOM, NO_QUOTES, TERMS, Homepage
from enrichment.sources.job_postings import read_roles, timestamp_of
from enrichment.sources.markup import read_markup
from enrichment.sources.quotes import MAX_QUOTES, exec_quotes, find_quotes, text_of, themes_of
from enrichment.sources.terms import MAX_TERMS, find_terms
from schemas import Method, SourceCitation
from tests.upstreams import InstantClock, Reply, trust_the_authority
from tests.websites import Internet, internet, moved, northwind, page

HOME = "http://www.northwind-loom.example/"
NOW = datetime(2026, 2, 26, 10, 35, tzinfo=UTC).timestamp()
PLANT = f"{HOME}newsroom/northwind-opens-plant-in-ohio"


@pytest.fixture(autouse=True)
def few_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Else each client loads those of all authorities, which takes most of the time of these tests."""
    trust_the_authority(monkeypatch, tmp_path)


@pytest.fixture
def instant() -> InstantClock:
    return InstantClock()


@pytest.fixture
async def net(instant: InstantClock) -> AsyncIterator[Internet]:
    async with internet(instant, northwind()) as net:
        yield net


def json_ld(json: str) -> str:
    return f'<script type="application/ld+json">{json}</script>'


def website(home: str, **others: str | None) -> dict[str, Reply]:
    """A website with a home page, and others that are not None."""
    pages = {f"{HOME}{path}": page(html) for path, html in others.items() if html is not None}
    return {"http://northwind-loom.example/": moved(HOME), HOME: page(home), **pages}


async def ask(net: Internet, module_id: str) -> Finding:
    return await Homepage(net.websites, net.clock).ask(MODULES[module_id], Subject(domain="northwind-loom.example"))


async def test_on_page_terms_are_derived_and_have_no_volumes(net: Internet) -> None:
    finding = await ask(net, "m06_keywords")

    assert finding.read(Keywords) == Keywords(
        keywords=(
            Keyword(keyword="weaving machines", branded=False),
            Keyword(keyword="spare parts", branded=False),
            Keyword(keyword="loom retrofit", branded=False),
            Keyword(keyword="northwind loom", branded=True),
            Keyword(keyword="two days", branded=False),
        ),
        note=TERMS,
    )
    assert (finding.source, finding.method) == ("homepage", Method.DERIVED)
    assert (finding.matched_by, finding.match_confidence) == ("website", 1.0)
    assert finding.citations == (SourceCitation(url=HOME, title="Home page", source="homepage", simulated=False),)


async def test_a_home_page_without_text_has_no_terms(net: Internet) -> None:
    net.pages = website('<div id="app"></div>')
    with pytest.raises(failures.NotFound, match="Its home page has no text"):
        await ask(net, "m06_keywords")


async def test_open_roles_are_read_from_the_markup_of_the_careers_page(net: Internet) -> None:
    finding = await ask(net, "m10_hiring_signals")

    assert finding.read(HiringSignals) == HiringSignals(
        open_roles=3,
        roles_by_department=(
            DepartmentRoles(department="Engineering", open_roles=1),
            DepartmentRoles(department="Service", open_roles=1),
            DepartmentRoles(department="Other", open_roles=1),
        ),
        senior_roles=1,
        remote_share_percent=33.3,
        technologies_mentioned=("Elasticsearch", "Kubernetes"),
    )
    assert finding.method is Method.SCRAPE
    assert [citation.url for citation in finding.citations] == [f"{HOME}company/careers"]


@pytest.mark.parametrize(
    ("careers", "reason"),
    [
        ("<h1>Join us</h1>", "Its careers page has no job postings in its markup."),
        (None, "Its website leads to no careers page."),
    ],
)
async def test_without_postings_nothing_is_known_about_open_roles(
    net: Internet, careers: str | None, reason: str
) -> None:
    """No posting in the markup does not mean that there is no open role."""
    net.pages = website("<h1>Home</h1>", jobs=careers)
    with pytest.raises(failures.NotFound, match=reason):
        await ask(net, "m10_hiring_signals")


async def test_quotes_are_found_in_the_newsroom_and_its_first_articles(net: Internet) -> None:
    finding = await ask(net, "m11_exec_quotes")
    quotes = finding.read(ExecQuotes)

    assert quotes.quotes == (
        Quote(
            quote="We expand to Ohio so that spare parts reach our customers the next day",
            speaker="Maria van der Berg",
            speaker_title="Chief Executive Officer of Northwind Loom",
            said_on="2026-01-15",
            url=PLANT,
            theme="customer experience",
        ),
        Quote(
            quote="We listen to weavers before we draw a machine",
            speaker="Ada Byrne",
            speaker_title="Head of Product",
            url=f"{HOME}newsroom/",
        ),
    )
    assert quotes.themes == ("customer experience", "expansion")
    assert quotes.note is None
    assert {citation.url: citation.title for citation in finding.citations} == {
        f"{HOME}newsroom/": "Newsroom",
        PLANT: "Northwind Loom opens a plant in Ohio",
    }
    assert f"{HOME}newsroom/gone-and-not-there" not in net.urls
    assert len(net.page_urls) <= 6


@pytest.mark.parametrize(
    ("newsroom", "note"), [("<p>“Words of nobody in particular, here.”</p>", NO_QUOTES), (None, NO_NEWSROOM)]
)
async def test_without_quotes_there_is_an_empty_list(net: Internet, newsroom: str | None, note: str) -> None:
    net.pages = website("<h1>Home</h1>", newsroom=newsroom)

    assert (await ask(net, "m11_exec_quotes")).read(ExecQuotes) == ExecQuotes(note=note)


async def test_an_article_that_cannot_be_read_is_left_out(net: Internet) -> None:
    net.pages[PLANT] = page("Forbidden", 403)
    quotes = (await ask(net, "m11_exec_quotes")).read(ExecQuotes)

    assert [quote.speaker for quote in quotes.quotes] == ["Ada Byrne"]


@pytest.mark.parametrize(
    ("html", "day"),
    [
        ('<meta property="article:published_time" content="2026-02-01T23:00:00-05:00">', "2026-02-01"),
        (json_ld('{"@type": "BlogPosting", "datePublished": "2026-02-02"}'), "2026-02-02"),
        (json_ld('[{"@type": "Article", "datePublished": "2026-02-02"}, {"@type": "Article"}]'), None),
        (json_ld('{"@type": "NewsArticle", "datePublished": "last week"}'), None),
        ("", None),
    ],
)  # fmt: skip
async def test_a_quote_has_the_day_of_its_page_if_that_has_just_one(net: Internet, html: str, day: str | None) -> None:
    net.pages[PLANT] = page(f"{html}<p>“We grow with every weaver we meet,” said Ann Lee, CEO.</p>")
    quotes = (await ask(net, "m11_exec_quotes")).read(ExecQuotes)

    assert [quote.said_on for quote in quotes.quotes if quote.speaker == "Ann Lee"] == [day]


async def test_a_redirect_to_another_domain_makes_an_answer_less_certain(net: Internet) -> None:
    net.pages = {
        "http://northwind-loom.example/": moved("http://bigger.example/"),
        "http://bigger.example/": page("<title>Bigger looms and bigger sails | Bigger</title>"),
    }
    finding = await ask(net, "m06_keywords")

    assert (finding.matched_by, finding.match_confidence) == ("redirect to bigger.example", 0.7)


@pytest.mark.parametrize("module_id", ["m06_keywords", "m10_hiring_signals", "m11_exec_quotes"])
async def test_a_website_that_lets_no_robots_in_is_blocked(net: Internet, module_id: str) -> None:
    net.pages[HOME] = page("<title>Just a moment...</title>", 503)
    with pytest.raises(failures.Blocked, match="challenge page"):
        await ask(net, module_id)


async def test_it_answers_its_modules_only(net: Internet) -> None:
    with pytest.raises(SourceFailed, match="A website does not answer this module"):
        await ask(net, "m07_financials")


def terms_of(html: str, sitemap: tuple[str, ...] = (), names: tuple[str, ...] = ("Acme",)) -> list[tuple[str, bool]]:
    keywords = find_terms(read_markup(html, HOME), HOME, sitemap, names)
    return [(keyword.keyword, keyword.branded) for keyword in keywords]


@pytest.mark.parametrize(
    ("html", "terms"),
    [
        ("<title>Acme Rockets | Rocket engines</title>", [("acme rockets", True), ("rocket engines", False)]),
        ("<title>Engines</title><h1>Engines</h1>", [("engines", False)]),
        ("<title>Engines</title>", []),
        ("<title>Home</title><h1>Welcome to our website</h1><h2>Contact us</h2><h2>2026</h2>", []),
        ("<title>The best of the best for you</title>", []),
        ("<meta name=keywords content='a pad, engines,,'><h2>Engines</h2>", [("engines", False)]),
        ("<h1>Günstige Ölöfen für Haus und Hof</h1><h2>Günstige Ölöfen</h2>", [("günstige ölöfen", False)]),
        ("<title>火箭发动机 火箭发动机</title>", [("火箭发动机 火箭发动机", False)]),
        ("<title>" + "x" * 50 + " engines of rockets</title>", []),
        ("", []),
    ],
)  # fmt: skip
def test_the_terms_that_a_page_stresses_are_found(html: str, terms: list[tuple[str, bool]]) -> None:
    assert terms_of(html) == terms


def test_the_sitemap_and_links_of_the_website_count_as_well() -> None:
    html = """<h2>Loom retrofit</h2><a href="/loom-retrofit">Loom retrofit</a><a href="/x/loom-retrofit.html">More</a>
    <a href="http://elsewhere.example/sail-cloth">Sail cloth</a><a href="http://elsewhere.example/b">Sail cloth</a>"""

    assert terms_of(html) == [("loom retrofit", False)]
    assert terms_of("<h2>Sail cloth</h2>", tuple(f"{HOME}{number}/sail-cloth/{number}" for number in range(3))) == []
    assert terms_of("<h2>Sail cloth</h2>", (f"{HOME}sail-cloth/", f"{HOME}buy_sail_cloth")) == [("sail cloth", False)]


def test_there_are_at_most_twenty_terms() -> None:
    keywords = ", ".join(f"word{number} other{number}" for number in range(100))
    html = f"<meta name=keywords content='{keywords}'>" + "".join(f"<h2>alpha{n} beta{n}</h2>" * 2 for n in range(60))

    assert len(terms_of(html)) == MAX_TERMS


def said(html: str, *names: str) -> list[tuple[str, str, str]]:
    quotes = find_quotes(text_of(html), names or ("Acme Rockets, Inc.", "acme"))
    return [(quote.quote, quote.speaker, quote.role) for quote in quotes]


WORDS = "We build engines that come back"


@pytest.mark.parametrize(
    ("html", "speaker", "role"),
    [
        (f"<p>“{WORDS},” said Ann Lee, CEO of Acme.</p>", "Ann Lee", "CEO of Acme"),
        (f'<p>"{WORDS}," said Ann Lee, CEO.</p>', "Ann Lee", "CEO"),
        (f'<p>"{WORDS}," says Ann B. Lee, chief executive officer and co-founder, in Ohio.</p>', "Ann B. Lee",
         "chief executive officer and co-founder"),
        (f'<p>"{WORDS}," Ann Lee, VP of Engineering, said on Monday.</p>', "Ann Lee", "VP of Engineering"),
        (f'<p>"{WORDS}," Ann Lee, VP of Engineering said.</p>', "Ann Lee", "VP of Engineering"),
        (f'<p>Launch day. Ann Lee, President, said: "{WORDS}"</p>', "Ann Lee", "President"),
        (f'<p>On the day, Ann Lee, President of Acme, said, "{WORDS}"</p>', "Ann Lee", "President of Acme"),
        (f'<p>"{WORDS}," said Acme CEO Ann Lee.</p>', "Ann Lee", "Acme CEO"),
        (f'<p>"{WORDS}," said chief executive Ann Lee in an interview.</p>', "Ann Lee", "chief executive"),
        (f"<p>„{WORDS}“, sagte Dr. Jörg Öz, Geschäftsführer von Acme.</p>", "Dr. Jörg Öz", "Geschäftsführer von Acme"),
        (f"<p>« {WORDS} », déclare Zoé de la Tour, directrice d'Acme.</p>", "Zoé de la Tour", "directrice d'Acme"),
        (f"<blockquote>“{WORDS}”</blockquote><cite>Ann Lee, CEO, Acme Rockets</cite>", "Ann Lee", "CEO, Acme Rockets"),
        (f"<p>“{WORDS}” — Ann Lee, CEO of Acme</p>", "Ann Lee", "CEO of Acme"),
        (f"<blockquote>“{WORDS}”</blockquote><p>– Ann Lee, CEO of Acme</p>", "Ann Lee", "CEO of Acme"),
        (f"<p>“A name.” “{WORDS},” <b>said</b> <i>Ann Lee</i>, CEO.</p>", "Ann Lee", "CEO"),
    ],
)  # fmt: skip
def test_a_quote_has_a_speaker_with_a_role(html: str, speaker: str, role: str) -> None:
    assert said(html) == [(WORDS, speaker, role)]


@pytest.mark.parametrize(
    "html",
    [
        f"<p>{WORDS}, said Ann Lee, CEO.</p>",
        f"<p>“{WORDS}.” That was said by many.</p>",
        f"<p>“{WORDS},” said Ann Lee.</p>",
        f"<p>“{WORDS},” said the CEO.</p>",
        f"<p>“{WORDS},” said Ann Lee, engineer.</p>",
        f"<p>“{WORDS},” said Ann Lee, CEO of Globex.</p>",
        f"<p>“{WORDS},” said Globex CEO Ann Lee.</p>",
        f"<p>“{WORDS},” said CEO Lee.</p>",
        f"<p>“{WORDS},” said Ann lee smith, CEO.</p>",
        f"<p>“{WORDS},” said Van Halen 2, CEO.</p>",
        f"<p>“{WORDS},” said The CEO, President.</p>",
        f"<p>“{WORDS},” said van Lee, CEO.</p>",
        f"<p>“{WORDS},” said Ann Lee, CEO {'very ' * 30}.</p>",
        f"<p>“{WORDS},” it wrote. Ann Lee, CEO, said nothing more.</p>",
        f"<blockquote>“{WORDS}”</blockquote><cite>Ann Lee, CEO</cite>",
        f"<blockquote>“{WORDS}”</blockquote><cite>Ann Lee, CTO at Globex</cite>",
        f"<p>“{WORDS}” — Ann Lee</p>",
        f"<p>“{WORDS}</p>",
        f'<p>“{WORDS}",” said Ann Lee, CEO.</p>',
        "<p>“Short words,” said Ann Lee, CEO.</p>",
        "<p>“Unbelievablylongwordwithoutblanks,” said Ann Lee, CEO.</p>",
        f"<p>“{'very ' * 200}long,” said Ann Lee, CEO.</p>",
        f"<script>“{WORDS},” said Ann Lee, CEO.</script><template><p>“{WORDS},” said Ann Lee, CEO.</template>",
        "",
    ],
)  # fmt: skip
def test_what_is_not_said_by_one_of_its_executives_is_no_quote(html: str) -> None:
    assert said(html) == []


def test_a_quote_is_found_once_and_there_are_only_some() -> None:
    html = "".join(f"<p>“{WORDS} number {number % 10},” said Ann Lee, CEO.</p>" for number in range(1_000))

    assert [quote for quote, _, _ in said(html)] == [f"{WORDS} number {number}" for number in range(MAX_QUOTES)]


def test_without_a_name_of_the_company_no_role_may_name_an_organization() -> None:
    html = f"<p>“{WORDS},” said Ann Lee, CEO.</p><p>“{WORDS} again,” said Bob Lee, CEO of Acme.</p>"

    assert [speaker for _, speaker, _ in said(html, "")] == ["Ann Lee"]


def test_the_text_of_a_page_has_a_line_for_each_paragraph() -> None:
    html = "<head><title>a</title></head><p>One <b>two</b>,\n three</p><div>Four<br>five</div><nav>six</nav>&lt;p&gt;"

    assert text_of(html).splitlines() == ["One two, three", "Four", "five", "<p>"]
    assert text_of("") == ""


def test_themes_are_those_of_the_words() -> None:
    assert themes_of("Our customers want personalisation and AI") == (
        "artificial intelligence",
        "personalization",
        "customer experience",
    )
    assert themes_of("We said so") == ()
    assert exec_quotes([]) == ExecQuotes()


def roles(json: str) -> list[str]:
    markup = read_markup(f'<script type="application/ld+json">{json}</script>', HOME)
    return [role.title for role in read_roles(markup, "northwind-loom.example", ("Northwind Loom",), NOW)]


@pytest.mark.parametrize(
    ("posting", "is_read"),
    [
        ('"title": "a"', True),
        ('"validThrough": "2026-02-26"', True),
        ('"validThrough": "2026-02-25T10:00:00Z"', False),
        ('"validThrough": "soon"', True),
        ('"validThrough": "2026-13-45"', True),
        ('"validThrough": null', True),
        ('"hiringOrganization": null', True),
        ('"hiringOrganization": {}', True),
        ('"hiringOrganization": "Northwind Loom GmbH"', True),
        ('"hiringOrganization": "Canteen Partners"', False),
        ('"hiringOrganization": {"name": "Canteen", "sameAs": "https://www.northwind-loom.example"}', True),
        ('"hiringOrganization": {"sameAs": "https://canteen.example"}', False),
        ('"hiringOrganization": ["anything", 7]', False),
    ],
)
def test_open_postings_of_the_company_are_read(posting: str, is_read: bool) -> None:
    assert bool(roles(f'{{"@type": "JobPosting", {posting}}}')) is is_read


def test_a_posting_may_be_empty_and_is_counted_once() -> None:
    assert roles('[{"@type": "JobPosting"}, {"@type": "JobPosting", "title": null}, {"@type": "Thing"}]') == [""]


@pytest.mark.parametrize(
    ("posting", "remote", "department", "posted_at"),
    [
        ("", None, None, None),
        ('"jobLocationType": "TELECOMMUTE"', True, None, None),
        ('"jobLocation": {}', False, None, None),
        ('"occupationalCategory": "15-1252.00"', None, None, None),
        ('"occupationalCategory": "15-1252 - Software"', None, "Software", None),
        ('"hiringOrganization": {"department": "Sales"}', None, "Sales", None),
        ('"hiringOrganization": {"department": {"name": "Sales"}}', None, "Sales", None),
        ('"datePosted": "1970-01-02T00:00:00+02:00"', None, None, 86_400),
    ],
)
def test_a_posting_is_read_as_far_as_it_says_something(
    posting: str, remote: bool | None, department: str | None, posted_at: float | None
) -> None:
    json = f'{{"@type": "JobPosting"{", " * bool(posting)}{posting}}}'
    markup = read_markup(f'<script type="application/ld+json">{json}</script>', HOME)
    (role,) = read_roles(markup, "northwind-loom.example", ("Northwind Loom",), NOW)

    assert (role.remote, role.department, role.posted_at) == (remote, department, posted_at)


def test_a_date_is_read_as_its_day() -> None:
    assert timestamp_of("1970-01-02") == 86_400
    assert timestamp_of("02.01.1970") is None
    assert timestamp_of("1970-02-31") is None
    assert timestamp_of(None) is None
