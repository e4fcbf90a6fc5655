"""
Whom a company is looking for.
"""

from typing import Final

from enrichment.modules.answers import DepartmentRoles, HiringSignals
from enrichment.sources.simulated import m02_tech_stack
from enrichment.sources.simulated.company import Profile, shared_out

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


def simulate(profile: Profile) -> HiringSignals:
    """The more, the larger and the faster a company grows; some roles ask for what the company has in use."""
    chance = profile.random("m10")
    roles = round(profile.employees**0.8 * chance.uniform(0.03, 0.08) * (1 + profile.growth / 50))
    counts = shared_out(roles, [chance.uniform(0.2, 3) for _ in DEPARTMENTS])
    by_department = sorted(zip(DEPARTMENTS, counts, strict=True), key=lambda row: -row[1])
    in_use = [technology.name for technology in m02_tech_stack.simulate(profile).technologies]
    mentioned = chance.sample(in_use, k=3) + chance.sample(SKILLS, k=3)
    return HiringSignals(
        open_roles=roles,
        roles_by_department=tuple(
            DepartmentRoles(department=department, open_roles=count) for department, count in by_department if count
        ),
        senior_roles=round(roles * chance.uniform(0.03, 0.15)),
        remote_share_percent=round(chance.uniform(5, 60), 1) if roles else None,
        posted_last_30_days=round(roles * chance.uniform(0.2, 0.6)),
        technologies_mentioned=tuple(mentioned[: roles * 2]),
        trend="growing" if profile.growth > 6 else "steady" if profile.growth > -1 else "slowing",
    )
