"""
What people type, and what it means.
"""

import pytest
from publicsuffixlist import PublicSuffixList

from enrichment.domains import _is_suffix, _rules, canonical_domain
from enrichment.errors import InvalidDomain

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
def test_what_people_type_is_the_domain_they_mean(text: str, domain: str) -> None:
    assert canonical_domain(text) == domain


@pytest.mark.parametrize("domain", [domain for _, domain in GOOD])
def test_the_canonical_spelling_is_its_own(domain: str) -> None:
    assert canonical_domain(domain) == domain


@pytest.mark.parametrize(("text", "reason"), BAD)
def test_what_names_no_company_domain_is_refused_with_the_reason(text: str, reason: str) -> None:
    with pytest.raises(InvalidDomain, match=r"^Invalid domain ") as refused:
        canonical_domain(text, pointer="#/domains/3")

    message = str(refused.value)
    assert reason in message
    assert refused.value.pointer == "#/domains/3"
    assert len(message) < 300
    assert message.isprintable()


@pytest.mark.parametrize("text", ["https://user:secret@acme.com", "user:secret@acme.com", "secret" * 90 + "@a@b.com"])
def test_a_refusal_repeats_no_password(text: str) -> None:
    with pytest.raises(InvalidDomain) as refused:
        canonical_domain(text)

    assert "secret" not in str(refused.value)


def test_the_suffixes_are_those_that_the_library_finds_in_icanns_part_of_its_list() -> None:
    """Of every rule: itself, what is above it, and what is below."""
    whole = PublicSuffixList(only_icann=True)
    bases = {rule.lstrip("!*.") for rule in _rules()}
    names = {name for base in bases for name in (base, base.partition(".")[2], f"a.{base}", f"b.a.{base}")}

    assert len(names) > 20_000
    assert [name for name in names if "." in name and _is_suffix(name) != whole.is_public(name)] == []
