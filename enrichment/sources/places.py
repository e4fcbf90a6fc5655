"""
Names of states and countries, from the codes that sources use.
"""

from typing import Final

from enrichment.modules.places import state_code

UNITED_STATES: Final = "United States"

# fmt: off
COUNTRIES: Final = {
    "AE": "United Arab Emirates", "AR": "Argentina", "AT": "Austria", "AU": "Australia", "BE": "Belgium",
    "BG": "Bulgaria", "BR": "Brazil", "CA": "Canada", "CH": "Switzerland", "CL": "Chile", "CN": "China",
    "CO": "Colombia", "CY": "Cyprus", "CZ": "Czech Republic", "DE": "Germany", "DK": "Denmark", "EE": "Estonia",
    "EG": "Egypt", "ES": "Spain", "FI": "Finland", "FR": "France", "GB": "United Kingdom", "GR": "Greece",
    "HK": "Hong Kong", "HR": "Croatia", "HU": "Hungary", "ID": "Indonesia", "IE": "Ireland", "IL": "Israel",
    "IN": "India", "IS": "Iceland", "IT": "Italy", "JP": "Japan", "KE": "Kenya", "KR": "South Korea",
    "LT": "Lithuania", "LU": "Luxembourg", "LV": "Latvia", "MA": "Morocco", "MT": "Malta", "MX": "Mexico",
    "MY": "Malaysia", "NG": "Nigeria", "NL": "Netherlands", "NO": "Norway", "NZ": "New Zealand", "PE": "Peru",
    "PH": "Philippines", "PK": "Pakistan", "PL": "Poland", "PT": "Portugal", "QA": "Qatar", "RO": "Romania",
    "RS": "Serbia", "RU": "Russia", "SA": "Saudi Arabia", "SE": "Sweden", "SG": "Singapore", "SI": "Slovenia",
    "SK": "Slovakia", "TH": "Thailand", "TR": "Turkey", "TW": "Taiwan", "UA": "Ukraine", "UK": "United Kingdom",
    "US": UNITED_STATES, "USA": UNITED_STATES, "UY": "Uruguay", "VN": "Vietnam", "ZA": "South Africa",
}
"Names by ISO 3166-1 alpha-2 code, and two that are often written in place of one."
# fmt: on
OTHER_NAMES: Final = {
    "united states of america": UNITED_STATES,
    "u.s.": UNITED_STATES,
    "u.s.a.": UNITED_STATES,
    "czechia": "Czech Republic",
    "great britain": "United Kingdom",
}


def country_name(text: str) -> str | None:
    """Return the name of a country given by name or code, None for an unknown code."""
    text = text.strip()
    if len(text) <= 3:
        return COUNTRIES.get(text.upper())
    return OTHER_NAMES.get(text.casefold(), text)


def headquarters(city: str | None, state: str | None, country: str | None) -> str | None:
    """Return city and code of the state in the United States, city and country elsewhere, or what is known of it."""
    if not city:
        return None
    code = state_code(state or "")
    if code and country in (UNITED_STATES, None):
        return f"{city}, {code}"
    return f"{city}, {country}" if country else city
