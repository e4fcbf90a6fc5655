"""
Sentences about the author: "We are a SaaS company in Berlin" says nothing of the customers.
"""

from collections.abc import Sequence
from typing import Final

from enrichment.icp.mentions import Mention, Words
from enrichment.icp.text import Token

AUTHOR: Final = frozenset(
    "we i our my us we're i'm we've wir ich unser unsere nous notre je nosotros somos nuestra nuestro noi siamo wij ons onze".split()
)
SELF: Final = frozenset(
    "are am run make build built offer provide develop develops created sell product platform software tool solution company startup agency app "
    "service services team have founded started operate help sind bieten entwickeln verkaufen haben sommes proposons vendons somos "
    "ofrecemos vendemos offriamo facciamo zijn bieden maken were just provides offers".split()
)
TARGETING: Final = frozenset({"target", "serving"})


def without_introduction(tokens: Sequence[Token], mentions: Sequence[Mention]) -> Sequence[Mention]:
    """The mentions of a sentence without those about its author, up to the words that turn to the customers."""
    if not _is_introduction(tokens):
        return mentions
    for place, mention in enumerate(mentions):
        if isinstance(mention, Words) and any(
            one.kind == "relation" and one.id in TARGETING for one in mention.entries
        ):
            return mentions[place + 1 :]
    return ()


def _is_introduction(tokens: Sequence[Token]) -> bool:
    """Whether a sentence begins with "we are", "our product is" or the like, and not with "we sell to"."""
    words = [token.norm for token in tokens[:4]]
    if len(words) < 2 or words[0] not in AUTHOR:
        return False
    if words[0] in ("we're", "i'm"):
        return words[1] in ("a", "an", "the", "building", "selling", "offering")
    return words[1] in SELF and not {
        "looking",
        "targeting",
        "after",
        "interested",
        "focused",
        "searching",
        "suchen",
        "to",
    } & set(words[1:])
