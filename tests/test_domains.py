"""
Spellings of company domains: the canonical one of each, and why the others are refused.
"""

import idna
import pytest
from hypothesis import assume, given, strategies

from enrichment.domains import (
    MAX_NAME,
    PLAIN_NAME,
    _normalized,
    canonical_domain,
    registrable_domain,
    shown,
    website_domain,
)
from enrichment.domains.idn import punycode, to_ascii
from enrichment.domains.platforms import known_platforms
from enrichment.domains.suffixes import COMMON, GENERIC, suffix_list
from enrichment.errors import InvalidDomain, InvalidWebsite

LABEL_63 = "a" * 63
NAME_253 = ".".join([LABEL_63] * 3) + "." + "b" * 57 + ".com"

# fmt: off
GOOD = [
    ("getuniti.com",                          "getuniti.com"),
    ("GetUniti.COM",                          "getuniti.com"),
    ("  getuniti.com\t",                      "getuniti.com"),
    ("getuniti.com\n",                        "getuniti.com"),
    ("\u00a0getuniti.com\u3000",              "getuniti.com"),
    ("getuniti.com.",                         "getuniti.com"),
    ("www.getuniti.com",                      "getuniti.com"),
    ("WWW.getuniti.com.",                     "getuniti.com"),
    ("www.www.getuniti.com",                  "getuniti.com"),
    ("awww.com",                              "awww.com"),
    ("www.com",                               "www.com"),
    ("www.co.uk",                             "www.co.uk"),
    ("www2.getuniti.com",                     "www2.getuniti.com"),
    ("http://getuniti.com",                   "getuniti.com"),
    ("https://www.getuniti.com/",             "getuniti.com"),
    ("HTTPS://WWW.GETUNITI.COM/About?a=b#c",  "getuniti.com"),
    ("//getuniti.com/x",                      "getuniti.com"),
    ("://getuniti.com",                       "getuniti.com"),
    ("https://getuniti.com:8443/x",           "getuniti.com"),
    ("getuniti.com:443",                      "getuniti.com"),
    ("getuniti.com:",                         "getuniti.com"),
    ("getuniti.com/path/to",                  "getuniti.com"),
    ("getuniti.com?utm=1",                    "getuniti.com"),
    ("getuniti.com#top",                      "getuniti.com"),
    ("getuniti.com\\x",                       "getuniti.com"),
    ("https://getuniti.com/@handle",          "getuniti.com"),
    ("jane.doe@getuniti.com",                 "getuniti.com"),
    ("jane+crm@mail.getuniti.com",            "mail.getuniti.com"),
    ("blog.getuniti.com",                     "blog.getuniti.com"),
    ("bbc.co.uk",                             "bbc.co.uk"),
    ("chevrolet.com.mx",                      "chevrolet.com.mx"),
    ("mercedes-benz.com",                     "mercedes-benz.com"),
    ("3m.com",                                "3m.com"),
    ("1and1.com",                             "1and1.com"),
    ("123.com",                               "123.com"),
    ("a--b.com",                              "a--b.com"),
    ("ab--cd.com",                            "ab--cd.com"),
    ("x.io",                                  "x.io"),
    ("weebly.com",                            "weebly.com"),
    ("acme.github.io",                        "acme.github.io"),
    ("bücher.de",                             "xn--bcher-kva.de"),
    ("BÜCHER.DE",                             "xn--bcher-kva.de"),
    ("bu\u0308cher.de",                       "xn--bcher-kva.de"),
    ("https://www.bücher.de/ü",               "xn--bcher-kva.de"),
    ("XN--Bcher-KVA.de",                      "xn--bcher-kva.de"),
    ("faß.de",                                "xn--fa-hia.de"),
    ("公司.cn.com",                            "xn--55qx5d.cn.com"),
    ("例え.jp",                                "xn--r8jz45g.jp"),
    ("acme。com",                              "acme.com"),
    ("ａｃｍｅ.ｃｏｍ",                            "acme.com"),
    ("ac\u00adme\u200b.com",                  "acme.com"),
    ("\ufeffacme.com",                        "acme.com"),
    ("www.ck",                                "www.ck"),
    ("city.kobe.jp",                          "city.kobe.jp"),
    ("shop.gda.pl",                           "shop.gda.pl"),
    ("company.test",                          "company.test"),
    ("lead.example",                          "lead.example"),
    ("http:/www.acme.com",                    "acme.com"),
    ("http:www.acme.com",                     "acme.com"),
    ("HTTP:acme.com:8080/x",                  "acme.com"),
    ("https:///www.acme.com/",                "acme.com"),
    ("https:\\\\www.acme.com\\x",               "acme.com"),
    ("http//acme.com",                        "acme.com"),
    ("https:// www.acme.com",                 "acme.com"),
    ("/www.acme.com/",                        "acme.com"),
    ("https://https://www.acme.com/",         "acme.com"),
    ("http://https:/acme.com",                "acme.com"),
    ("http://http//acme.com",                 "acme.com"),
    ("http.com",                              "http.com"),
    ("mailto:jane@acme.com",                  "acme.com"),
    ("MAILTO:jane@Acme.com?subject=hi@you",   "acme.com"),
    ("mailto:acme.com",                       "acme.com"),
    ("http://mailto:jane@acme.com",           "acme.com"),
    ("Jane Doe <jane@acme.com>",              "acme.com"),
    ("<https://www.acme.com/>",               "acme.com"),
    ("“acme.com”,",                           "acme.com"),
    ("\u202aacme.com\u202c",                  "acme.com"),
    ("a\u202eb.com",                          "ab.com"),
    ("ac\u2066m\u2069e\u200f.com",             "acme.com"),
    ("\u200b acme.com\u2060 ",                "acme.com"),
    ("\u2800ac\u3164me\ufe0f.com",             "acme.com"),
    ("ac\u200dme\u200c.com",                  "acme.com"),
    ("bü\u200dch\u202der.de",                 "xn--bcher-kva.de"),
    ("نامه\u200cای.com",                       "xn--mgba3gch31f060k.com"),
    ("نامهای.com",                             "xn--mgba3gch31f.com"),
    ("nhs.uk",                                "nhs.uk"),
    ("https://www.nhs.uk/conditions",         "nhs.uk"),
    ("leedsth.nhs.uk",                        "leedsth.nhs.uk"),
    ("gov.pl",                                "gov.pl"),
    ("www.gov.uk",                            "gov.uk"),
    ("gob.mx",                                "gob.mx"),
    ("vic.gov.au",                            "vic.gov.au"),
    ("police.uk",                             "police.uk"),
    ("linkedin.com",                          "linkedin.com"),
    ("https://www.linkedin.com/?trk=nav",     "linkedin.com"),
    ("https://www.facebook.com/#top",         "facebook.com"),
    ("de.linkedin.com",                       "de.linkedin.com"),
    ("https://www.google.com/about",          "google.com"),
    ("https://www.google.com/mapsengine",     "google.com"),
    ("https://acme.github.io/project",        "acme.github.io"),
    ("https://notlinkedin.com/company/acme",  "notlinkedin.com"),
    ("https://maps.acme.test/company/acme",   "maps.acme.test"),
    ("jane@linkedin.com",                     "linkedin.com"),
    ("gmail.com",                             "gmail.com"),
    ("https://mail.ru/",                      "mail.ru"),
    (f"{LABEL_63}.com",                       f"{LABEL_63}.com"),
    (NAME_253,                                NAME_253),
    (NAME_253 + ".",                          NAME_253),
]

BAD = [
    ("",                              "empty"),
    (" \n",                           "empty"),
    ("127.0.0.1",                     "IP address"),
    ("8.8.8.8",                       "IP address"),
    ("8.8.8.8:80",                    "IP address"),
    ("http://8.8.8.8/x",              "IP address"),
    ("2130706433",                    "IP address"),
    ("0177.0.0.1",                    "IP address"),
    ("0x7f.1",                        "IP address"),
    ("0x7f000001",                    "IP address"),
    ("0X7F.0.0.0X1",                  "IP address"),
    ("127.1",                         "IP address"),
    ("127.0.0.1.",                    "IP address"),
    ("１２７.0.0.1",                    "IP address"),
    ("acme.123",                      "IP address"),
    ("[::1]",                         "IP address"),
    ("[::1]:80",                      "IP address"),
    ("::1",                           "IP address"),
    ("fe80::1%eth0",                  "IP address"),
    ("http://[2001:db8::1]/",         "IP address"),
    ("jane@8.8.8.8",                  "IP address"),
    ("localhost",                     "private network"),
    ("LOCALHOST.",                    "private network"),
    ("localhost:8000",                "private network"),
    ("app.localhost",                 "private network"),
    ("printer.local",                 "private network"),
    ("db.internal",                   "private network"),
    ("nas.home.arpa",                 "private network"),
    ("shop.onion",                    "private network"),
    ("getuniti",                      "single label"),
    ("com",                           "single label"),
    ("co.uk",                         "public suffix"),
    ("com.mx",                        "public suffix"),
    ("公司.cn",                        "public suffix"),
    ("xn--55qx5d.cn",                 "public suffix"),
    ("any.ck",                        "public suffix"),
    ("kobe.jp",                       "public suffix"),
    ("any.kobe.jp",                   "public suffix"),
    (".",                             "nothing between"),
    (".com",                          "nothing between"),
    ("acme..com",                     "nothing between"),
    ("acme.com..",                    "nothing between"),
    ("-acme.com",                     "may hold"),
    ("acme-.com",                     "may hold"),
    ("ac_me.com",                     "may hold"),
    ("ac me.com",                     "may hold"),
    ("acme.com evil.com",             "may hold"),
    ("acme.com\nevil.com",            "may hold"),
    ("acme\x00.com",                  "may hold"),
    ("acme.com\x00",                  "may hold"),
    ("acme%2ecom",                    "may hold"),
    ("a,b.com",                       "may hold"),
    ("*.acme.com",                    "may hold"),
    ("acme.com:http",                 "may hold"),
    ("acme.com:123456",               "may hold"),
    ("acme.com:80:90",                "may hold"),
    ("acme.com:65536",                "port"),
    ("ftp://acme.com",                "only http and https"),
    ("file:///etc/passwd",            "only http and https"),
    ("view-source:https://acme.com",  "only http and https"),
    ("javascript:alert(1)",           "only http and https"),
    ("about:blank",                   "only http and https"),
    ("tel:+49 40 123",                "only http and https"),
    ("android-app://com.acme",        "only http and https"),
    ("https://",                      "there is no domain in it"),
    ("http://https://",               "there is no domain in it"),
    ("mailto:",                       "there is no domain in it"),
    ("#N/A",                          "there is no domain in it"),
    ("https:///path",                 "single label"),
    ("n/a",                           "single label"),
    ("[acme](https://acme.com)",      "Markdown"),
    ("[https://acme.com](acme.com)",  "Markdown"),
    ("<a href='https://acme.com'>x",  "HTML"),
    ("[acme.com]",                    "may hold"),
    ("face:b00c::1",                  "IP address"),
    ("n.a.",                          "not a top-level domain"),
    ("k.A.",                          "not a top-level domain"),
    ("S.p.A.",                        "not a top-level domain"),
    ("1.5M",                          "not a top-level domain"),
    ("https://www.acme",              "not a top-level domain"),
    ("jane@acme.c",                   "not a top-level domain"),
    ("acme.newtld",                   "not a top-level domain"),
    ("acme.c0m",                      "Did you mean 'acme.com'?"),
    ("acme.con",                      "Did you mean 'acme.com'?"),
    ("http://WWW.Acme.CON/about",     "Did you mean 'acme.com'?"),
    ("jane@acme.comm",                "Did you mean 'acme.com'?"),
    ("acme.ogr",                      "Did you mean 'acme.org'?"),
    ("acme.co.ukk",                   "Did you mean 'acme.co.uk'?"),
    ("bücher.dee",                    "Did you mean 'xn--bcher-kva.de'?"),
    ("acme.invalid",                  "special use"),
    ("acme.alt",                      "special use"),
    ("1.168.192.in-addr.arpa",        "special use"),
    ("acme.home.arpa",                "private network"),
    ("printer.lan",                   "private network"),
    ("https://user@acme.com",         "user name"),
    ("https://user:secret@acme.com",  "user name"),
    ("user:secret@acme.com",          "user name"),
    ("a@b@acme.com",                  "user name"),
    ("@acme.com",                     "user name"),
    ("💩.la",                          "international"),
    ("xn--a.com",                     "international"),
    ("xn--.com",                      "international"),
    ("bü_cher.de",                    "U+005F is not allowed"),
    ("xn--" + "9" * 60 + ".de",       "international"),
    ("xn---bbk.de",                   "international"),
    ("漢字仮名交文章" * 8 + ".jp",        "international"),
    (f"{LABEL_63}a.com",              "at most 63"),
    (f"b{NAME_253}",                  "at most 253"),
    ("a." * 1_000 + "com",            "at most 253"),
    ("ü" * 64 + ".de",                "international"),
    ("a" * 2_049,                     "at most 2048"),
    ("a" * 1_000_000 + ".com",        "at most 2048"),
]
# fmt: on


@pytest.mark.parametrize(("text", "domain"), GOOD)
def test_usual_spellings_become_the_canonical_one(text: str, domain: str) -> None:
    assert canonical_domain(text) == domain


@pytest.mark.parametrize("domain", [domain for _, domain in GOOD])
def test_a_canonical_spelling_is_returned_unchanged(domain: str) -> None:
    assert canonical_domain(domain) == domain


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_text_without_a_company_domain_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidDomain, match=r"^Invalid domain ") as refused:
        canonical_domain(text, pointer="#/domains/3")

    message = str(refused.value)
    assert reason in message
    assert refused.value.pointer == "#/domains/3"
    assert len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize(
    "text",
    [
        *("https://user:secret@acme.com", "user:secret@acme.com", "secret" * 90 + "@a@b.com", "secret@gmail.com"),
        *("https://user:secret/x@acme.com", "https://my.secret/x@acme.com", "https://user:secret%40acme.invalid"),
    ],
)
def test_an_error_message_quotes_no_password(text: str) -> None:
    with pytest.raises(InvalidDomain) as refused:
        canonical_domain(text)

    assert "secret" not in str(refused.value)


@given(strategies.from_regex(PLAIN_NAME, fullmatch=True))
def test_a_name_that_matches_the_fast_path_is_normalized_already(name: str) -> None:
    assume(len(name) <= MAX_NAME)

    assert _normalized(name) == name


@pytest.mark.parametrize(("text", "domain"), [row for row in GOOD if "@" not in row[0].partition("/@")[0]])
def test_a_website_may_be_spelled_like_a_domain(text: str, domain: str) -> None:
    assert website_domain(text) == domain


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("jane.doe@getuniti.com", "or is an e-mail address"),
        ("https://user@getuniti.com/", "it carries a user name"),
        ("//user@getuniti.com", "it carries a user name"),
        ("localhost", "'localhost': it is the name of a private network"),
        ("a" * 1_000_000 + ".com", "it has 1000004 characters"),  # took minutes when `://` was searched for everywhere
    ],
)
def test_text_without_a_website_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidWebsite, match=r"^Invalid website[: ]") as refused:
        website_domain(text, pointer="#/website_url")

    assert reason in str(refused.value)
    assert refused.value.pointer == "#/website_url"


# fmt: off
PAGES = [
    ("https://www.linkedin.com/company/acme/",             "LinkedIn"),
    ("linkedin.com/in/jane-doe",                           "LinkedIn"),
    ("HTTPS://DE.LinkedIn.com/Company/Acme?trk=x",         "LinkedIn"),
    ("http:/linkedin.com/company/acme",                    "LinkedIn"),
    ("linkedin.com\\company\\acme",                        "LinkedIn"),
    ("https://www.facebook.com/acme",                      "Facebook"),
    ("https://m.facebook.com/profile.php?id=1",            "Facebook"),
    ("https://de-de.facebook.com/acme",                    "Facebook"),
    ("fb.com/acme",                                        "Facebook"),
    ("https://instagram.com/acme/",                        "Instagram"),
    ("https://x.com/acme",                                 "X (Twitter)"),
    ("https://twitter.com/#!/acme",                        "X (Twitter)"),
    ("https://mobile.twitter.com/acme",                    "X (Twitter)"),
    ("https://www.youtube.com/@acme",                      "YouTube"),
    ("youtube.com/channel/UC123",                          "YouTube"),
    ("https://www.tiktok.com/@acme",                       "TikTok"),
    ("https://linktr.ee/acme",                             "Linktree"),
    ("github.com/acme",                                    "GitHub"),
    ("https://github.com/acme/project.git",                "GitHub"),
    ("https://www.google.com/maps/place/Acme/@1,2,3z",     "Google Maps"),
    ("https://www.google.co.uk/maps?cid=1",                "Google Maps"),
    ("https://maps.google.de/?q=acme",                     "Google Maps"),
    ("https://maps.app.goo.gl/abc",                        "Google Maps"),
    ("https://goo.gl/maps/abc",                            "Google Maps"),
    ("https://www.google.com/search?q=acme",               "Google"),
    ("https://g.page/acme",                                "Google Business"),
    ("https://business.google.com/n/1/profile",            "Google Business"),
    ("https://www.crunchbase.com/organization/acme",       "Crunchbase"),
    ("https://apps.apple.com/us/app/acme/id1",             "the App Store"),
    ("https://www.xing.com/pages/acme",                    "Xing"),
    ("https://en.wikipedia.org/wiki/Acme",                 "Wikipedia"),
    ("https://medium.com/@acme",                           "Medium"),
    ("https://www.yelp.fr/biz/acme",                       "Yelp"),
    ("https://www.amazon.co.jp/stores/acme",               "Amazon"),
    ("https://t.me/acme",                                  "Telegram"),
    ("https://bit.ly/3abc",                                "a short link"),
]
# fmt: on


@pytest.mark.parametrize(("text", "platform"), PAGES)
def test_a_page_on_a_platform_is_not_its_owners_domain(text: str, platform: str) -> None:
    with pytest.raises(InvalidDomain) as refused:
        canonical_domain(text)
    with pytest.raises(InvalidWebsite) as refused_website:
        website_domain(text)

    assert f"it is a page on {platform}, not" in str(refused.value) or f"it is {platform}, not" in str(refused.value)
    assert "Invalid website" in str(refused_website.value)


FREE_PROVIDERS = (
    *("gmail.com", "GoogleMail.com", "mail.yahoo.co.jp", "web.de", "gmx.net", "qq.com", "mail.ru", "libero.it"),
    *("icloud.com", "outlook.com", "hotmail.fr", "proton.me", "tuta.com", "hey.com", "t-online.de", "naver.com"),
)


@pytest.mark.parametrize("domain", FREE_PROVIDERS)
@pytest.mark.parametrize("prefix", ["", "mailto:", " "])
def test_a_mailbox_at_a_free_provider_is_at_no_company(domain: str, prefix: str) -> None:
    with pytest.raises(InvalidDomain, match="at a free provider") as refused:
        canonical_domain(f"{prefix}jane.doe@{domain}")

    assert "jane" not in str(refused.value)
    assert canonical_domain(domain) == domain.lower()


def test_each_platform_is_listed_by_its_canonical_domain() -> None:
    """A misspelled entry would match nothing. Those with `.*` stand for all countries."""
    for host in known_platforms().pages:
        name = host.replace(".*", ".com")
        assert canonical_domain(name) == name


def test_each_suggested_top_level_domain_exists() -> None:
    for suffix in (*GENERIC, *COMMON):
        assert suffix_list().icann.publicsuffix(f"acme.{suffix}")


def test_the_refusal_of_a_top_level_domain_gives_the_date_of_the_list() -> None:
    with pytest.raises(InvalidDomain, match=r"\(public suffix list of 20\d\d-\d\d-\d\d\)\."):
        canonical_domain("acme.example.newtld")


@pytest.mark.parametrize(
    ("domain", "registrable"),
    [
        ("acme.com", "acme.com"),
        ("careers.acme.com", "acme.com"),
        ("a.b.acme.co.uk", "acme.co.uk"),
        ("acme.myshopify.com", "acme.myshopify.com"),
        ("www2.acme.myshopify.com", "acme.myshopify.com"),
        ("other.github.io", "other.github.io"),
        ("github.io", "github.io"),
        ("myshopify.com", "myshopify.com"),
        ("shop.acme.test", "acme.test"),
        ("nhs.uk", "nhs.uk"),
        ("leedsth.nhs.uk", "leedsth.nhs.uk"),
        ("mail.leedsth.nhs.uk", "leedsth.nhs.uk"),
        ("xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("shop.xn--bcher-kva.de", "xn--bcher-kva.de"),
        ("city.kobe.jp", "city.kobe.jp"),
    ],
)
def test_the_registrable_domain_counts_suffixes_of_companies(domain: str, registrable: str) -> None:
    assert canonical_domain(domain) == domain
    assert registrable_domain(domain) == registrable
    assert registrable_domain(registrable) == registrable


@pytest.mark.parametrize(
    ("text", "repeated"),
    [
        ("acme", "acme"),
        ("jane@acme", "…@acme"),
        ("https://user:se@cret@acme", "…@acme"),
        ("https://user:secret%40acme", "…@acme"),
        ("x" * 81, "x" * 80 + "…"),
    ],
)
def test_a_refused_text_is_repeated_in_part(text: str, repeated: str) -> None:
    assert shown(text) == repeated


LETTERS = strategies.sampled_from("abcxyz019-äöüßéабвгд漢字かなカאבגابتก한국\u0301ﬁ①\u200c\u200d")


@given(strategies.text(LETTERS, min_size=1, max_size=70) | strategies.from_regex(r"\Axn--[a-z0-9-]{0,62}\Z"))
def test_international_names_are_those_of_the_idna_package(label: str) -> None:
    """A joiner that is not allowed is removed, so that its name is accepted all the same."""
    try:
        expected = idna.encode(f"{label}.de", uts46=True, std3_rules=True).decode("ascii")
    except (idna.IDNAError, UnicodeError):
        assume("\u200c" not in label and "\u200d" not in label)
        with pytest.raises(ValueError, match=r"international|between|at most"):
            _normalized(f"{label}.de")
    else:
        assert to_ascii(f"{label}.de") == expected


@given(strategies.text(min_size=1, max_size=20))
def test_punycode_is_that_of_the_standard_library(label: str) -> None:
    encoded = label.encode("punycode").decode("ascii")

    if len(encoded) <= 59:
        assert punycode(label) == encoded


def test_no_near_domain_is_proposed_for_a_long_name() -> None:
    """It would repeat the whole of a text that is cut elsewhere in the message."""
    with pytest.raises(InvalidDomain) as refused:
        canonical_domain("x." * 110 + "comm")
    assert len(str(refused.value)) < 200
    with pytest.raises(InvalidDomain, match=r"Did you mean 'acme\.com'"):
        canonical_domain("acme.comm")


def test_escapes_do_not_make_an_error_long() -> None:
    with pytest.raises(InvalidDomain) as refused:
        canonical_domain("\U00018cd6" * 79 + ".com")
    assert len(str(refused.value)) < 250
