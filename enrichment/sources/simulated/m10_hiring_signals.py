"""
Simulated hiring signals.
"""

from typing import Final, Literal

from enrichment.modules.answers import DepartmentRoles, HiringSignals
from enrichment.sources.simulated import m02_tech_stack
from enrichment.sources.simulated.company import Company, apportion

DEPARTMENTS: Final = (
    "Operations",
    "Engineering",
    "Sales",
    "Marketing",
    "Customer Service",
    "Product",
    "Finance",
    "Data",
)
Trend = Literal["growing", "steady", "slowing"]

NEW_ROLES: Final[dict[Trend, tuple[float, float]]] = {
    "growing": (0.4, 0.6),
    "steady": (0.25, 0.4),
    "slowing": (0.1, 0.25),
}
"The share of the open roles that were posted in the last 30 days, from 0 to 1, by trend."


def simulate(company: Company) -> HiringSignals:
    """Return more roles for larger and faster-growing companies; they mention technologies that the company uses."""
    rng = company.rng("m10")
    roles = round(company.employees**0.8 * rng.uniform(0.03, 0.08) * (1 + company.growth / 50))
    trend: Trend = "steady" if company.growth > -1 else "slowing"
    if company.growth > 6 and roles:
        trend = "growing"
    recent = round(roles * rng.uniform(*NEW_ROLES[trend]))
    counts = apportion(roles, [rng.uniform(0.2, 3) for _ in DEPARTMENTS])
    by_department = sorted(zip(DEPARTMENTS, counts, strict=True), key=lambda row: -row[1])
    in_use = [technology.name for technology in m02_tech_stack.simulate(company).technologies]
    return HiringSignals(
        open_roles=roles,
        roles_by_department=tuple(
            DepartmentRoles(department=department, open_roles=count) for department, count in by_department if count
        ),
        senior_roles=round(roles * rng.uniform(0.03, 0.15)),
        remote_share_percent=round(100 * round(roles * rng.uniform(0.05, 0.6)) / roles, 1) if roles else None,
        posted_last_30_days=max(recent, 1) if trend == "growing" else recent,
        technologies_mentioned=tuple(rng.sample(in_use, k=min(len(in_use), 6, roles * 2))),
        trend=trend,
    )
