"""
Spellings of company domains: the canonical one of each, and why the others are refused.
"""

import pytest
from hypothesis import assume, given, strategies

from enrichment.domains import MAX_NAME, PLAIN_NAME, _normalized, canonical_domain, website_domain
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
    ("acme.newtld",                           "acme.newtld"),
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
    ("javascript:alert(1)",           "may hold"),
    ("acme.com:65536",                "port"),
    ("ftp://acme.com",                "only http and https"),
    ("file:///etc/passwd",            "only http and https"),
    ("https://",                      "nothing between"),
    ("https:///path",                 "nothing between"),
    ("https://user@acme.com",         "user name"),
    ("https://user:secret@acme.com",  "user name"),
    ("user:secret@acme.com",          "user name"),
    ("a@b@acme.com",                  "user name"),
    ("@acme.com",                     "user name"),
    ("💩.la",                          "international"),
    ("xn--a.com",                     "international"),
    ("xn--.com",                      "international"),
    ("a\u202eb.com",                  "international"),
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


@pytest.mark.parametrize("text", ["https://user:secret@acme.com", "user:secret@acme.com", "secret" * 90 + "@a@b.com"])
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
