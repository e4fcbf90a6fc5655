"""
Which company a domain belongs to.
"""

from enrichment.domains import _public_suffixes


def registrable_domain(domain: str) -> str:
    """Return the part of a domain that its owner has registered: `acme.com` for `careers.acme.com`."""
    return _public_suffixes().privatesuffix(domain) or domain
