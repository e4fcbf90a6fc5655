"""
Whom a company is looking for.
"""

from typing import Final, Literal

import msgspec

from enrichment.findings import Answer
from enrichment.modules import m02_tech_stack
from enrichment.profiles import Profile, shared_out

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


class DepartmentRoles(msgspec.Struct, frozen=True, kw_only=True):
    """How many people one department is looking for."""

    department: str
    open_roles: int


class HiringSignals(Answer, frozen=True, kw_only=True):
    """
    The open positions and what they tell. `senior_roles`, from head of something upwards, and `posted_last_30_days`
    count some of `open_roles`; the departments have them all, the largest first; the share is in percent of them.
    """

    open_roles: int | None = None
    roles_by_department: tuple[DepartmentRoles, ...] = ()
    senior_roles: int | None = None
    remote_share_percent: float | None = None
    posted_last_30_days: int | None = None
    technologies_mentioned: tuple[str, ...] = ()
    trend: Literal["growing", "steady", "slowing"] | None = None


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
