"""
Simulated hiring signals.
"""

from typing import Final

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
SKILLS: Final = ("Python", "Java", "TypeScript", "Kubernetes", "Terraform", "SQL", "Kafka", "Power BI", "Figma", "Go")


def simulate(company: Company) -> HiringSignals:
    """Return more roles for larger and faster-growing companies; some mention technologies that the company uses."""
    rng = company.rng("m10")
    roles = round(company.employees**0.8 * rng.uniform(0.03, 0.08) * (1 + company.growth / 50))
    counts = apportion(roles, [rng.uniform(0.2, 3) for _ in DEPARTMENTS])
    by_department = sorted(zip(DEPARTMENTS, counts, strict=True), key=lambda row: -row[1])
    in_use = [technology.name for technology in m02_tech_stack.simulate(company).technologies]
    mentioned = rng.sample(in_use, k=3) + rng.sample(SKILLS, k=3)
    return HiringSignals(
        open_roles=roles,
        roles_by_department=tuple(
            DepartmentRoles(department=department, open_roles=count) for department, count in by_department if count
        ),
        senior_roles=round(roles * rng.uniform(0.03, 0.15)),
        remote_share_percent=round(rng.uniform(5, 60), 1) if roles else None,
        posted_last_30_days=round(roles * rng.uniform(0.2, 0.6)),
        technologies_mentioned=tuple(mentioned[: roles * 2]),
        trend="growing" if company.growth > 6 else "steady" if company.growth > -1 else "slowing",
    )
