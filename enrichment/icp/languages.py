"""
The language of a text, by its most frequent words. It decides the currency of "5 Mio. Umsatz", and what "mil" means.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Final

from enrichment.icp.text import Token

WORDS: Final[dict[str, frozenset[str]]] = {
    "de": frozenset("und mit der die das in oder nicht keine wir fur suchen unternehmen mitarbeiter mitarbeitern umsatz mio aus von bis ab firmen sowie zwischen".split()),
    "fr": frozenset("et avec les des de la le en ou pas nous entreprises salaries entre chiffre affaires dans du une pour plus moins".split()),
    "es": frozenset("y con los las de en el o no empresas empleados entre que buscamos facturacion para mas menos del una millones".split()),
    "it": frozenset("e con le di in il o non aziende dipendenti tra fatturato che nel per piu meno della milioni italiane".split()),
    "nl": frozenset("en met de het van in of niet geen bedrijven medewerkers tussen omzet die voor wij zoeken minder meer miljoen".split()),
    "pt": frozenset("e com os as de em o ou nao empresas funcionarios entre faturamento que para mais menos no na milhoes uma mil reais".split()),
    "sv": frozenset("och med i eller inte foretag anstallda mellan omsattning som for vi av miljoner".split()),
    "pl": frozenset("i z w lub nie firmy pracownikow od do przychod dla miedzy oraz mln".split()),
    "en": frozenset("and with the of or not companies employees in between revenue for to that we who using based no a".split()),
}  # fmt: skip
CLEAR: Final = 2  # more words than in English


def language_of(tokens: Sequence[Token]) -> str:
    """The language whose words are most frequent, as an ISO 639-1 code; English unless another one is clearly ahead."""
    counts = Counter(language for token in tokens for language, words in WORDS.items() if token.norm in words)
    best = max(WORDS, key=lambda language: (counts[language], language == "en"))
    distinct = len({token.norm for token in tokens if token.norm in WORDS[best]})
    return best if counts[best] >= counts["en"] + 1 and distinct >= CLEAR else "en"
