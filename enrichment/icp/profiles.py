"""
A given profile, as text or as an object, read into conditions.
"""

from typing import Final

from enrichment.errors import UnreadableProfile
from enrichment.icp.objects import read_object
from enrichment.icp.reader import read_text
from schemas import CustomerProfile, Icp

MAX_QUOTES: Final = 5  # passages that an error lists
READABLE: Final = (
    "Name industries, numbers of employees, revenue, funding, places, technologies, roles, or events such as hiring.",
    "An example: “E-commerce companies in Germany with 50-500 employees on Shopify, not on Magento, ideally hiring”.",
)


def read_profile(icp: Icp) -> CustomerProfile:
    """Read a profile by the rules. Raises `UnreadableProfile` if nothing in it was understood, and `InvalidProfile`."""
    return readable(read_text(icp) if isinstance(icp, str) else read_object(icp))


def readable(profile: CustomerProfile) -> CustomerProfile:
    """The profile, if it has conditions. Raises `UnreadableProfile`."""
    if profile.conditions:
        return profile
    unclear = [f"Ambiguous: “{one.quote.text}”." for one in profile.ambiguous[:MAX_QUOTES]]
    unknown = [f"Not understood: “{one.text}”." for one in profile.not_understood[:MAX_QUOTES]]
    raise UnreadableProfile(
        "Nothing in the given profile was understood, so it is not known which companies it wants.",
        missing=(*unclear, *unknown),
        suggestions=READABLE,
        pointer="#/icp",
    )
