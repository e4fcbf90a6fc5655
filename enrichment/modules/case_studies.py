"""
The case studies that companies are matched with: those in the operator's file, or those shipped beside this module.
"""

from collections import Counter
from pathlib import Path
from typing import Final

import msgspec

from enrichment.errors import SettingsError
from enrichment.modules.module import CaseStudy

SHIPPED: Final = Path(__file__).with_suffix(".json")
MAX_BYTES: Final = 5_000_000


def load_case_studies(path: str | Path | None = None) -> tuple[CaseStudy, ...]:
    """
    Read a JSON list of `CaseStudy`; without a path, the one shipped with the service.

    Raises `SettingsError` with every fault in the file and its position.
    """
    path = path or SHIPPED
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:  # the latter for a null character, or invalid UTF-8, in the path
        reason = error.strerror if isinstance(error, OSError) else error
        raise SettingsError([f"CASE_STUDIES_FILE {path} cannot be read: {reason}."]) from None
    if len(content) > MAX_BYTES:
        raise SettingsError([f"CASE_STUDIES_FILE {path} is larger than {MAX_BYTES // 1_000_000} MB."])
    try:
        studies = msgspec.json.decode(content, type=tuple[CaseStudy, ...])
    except msgspec.ValidationError as error:
        raise SettingsError([f"CASE_STUDIES_FILE {path} is not a list of case studies: {error}."]) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise SettingsError([f"CASE_STUDIES_FILE {path} is not JSON: {error}."]) from None
    if faults := _faults(studies):
        raise SettingsError([f"CASE_STUDIES_FILE {path} {fault}" for fault in faults])
    return studies


def _faults(studies: tuple[CaseStudy, ...]) -> list[str]:
    """Return the faults that decoding does not detect."""
    counts = Counter(study.id for study in studies)
    faults = [f"has {count} case studies with the id {study_id!r}." for study_id, count in counts.items() if count > 1]
    for index, study in enumerate(studies):
        if not study.id.strip():
            faults.append(f"has a case study without an id - at `$[{index}].id`.")
        least, most = study.employees
        if not 0 <= least <= most:
            faults.append(f"has an invalid range of employees, {least} to {most} - at `$[{index}].employees`.")
    return faults
