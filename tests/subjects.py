"""
Subjects and answers for the tests of derived modules.
"""

import msgspec

from enrichment.modules.case_studies import load_case_studies
from enrichment.modules.module import Answer, CaseStudy, Finding, Subject
from enrichment.modules.table import MODULES
from enrichment.sources.simulated.company import company_of
from enrichment.sources.simulated.source import SIMULATIONS


def subject(*case_studies: CaseStudy, **answers: Answer) -> Subject:
    """Return a subject with these answers, by module id or its beginning: `subject(m01=CompanyContext(...))`."""
    known = {
        module_id: Finding.of(answer, source="test", fetched_at=0)
        for module_id in MODULES
        for name, answer in answers.items()
        if module_id.startswith(name)
    }
    return Subject(domain="acme.com", known=known, case_studies=case_studies)


def with_missing(subject: Subject, **reasons: str) -> Subject:
    """Return the subject with these reasons for missing findings, by module id."""
    return msgspec.structs.replace(subject, missing=reasons)


def simulated_answers(domain: str) -> dict[str, Answer]:
    """Return the simulated answers for a domain, by module id."""
    return {module_id: simulate(company_of(domain)) for module_id, simulate in SIMULATIONS.items()}


def all_answers(domain: str) -> dict[str, Answer]:
    """Return the simulated answers for a domain and those derived from them, by module id."""
    answers = simulated_answers(domain)
    for module in MODULES.values():
        if module.derive:
            answers[module.id] = module.derive(subject(*load_case_studies(), **answers))
    return answers
