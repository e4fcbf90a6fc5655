"""
Lead enrichment: modules, sources, jobs, blueprints, and their HTTP interface in `enrichment.web`.

Importing it checks that `schemas` is ours, as that is a name that a host application may use for a module of its own.
"""

from pathlib import Path

import schemas

__version__ = "0.1.0"

_ours = Path(__file__).resolve().parent.with_name("schemas.py")
if Path(str(schemas.__file__)).resolve().with_suffix(".py") != _ours:
    raise ImportError(
        f"The lead-enrichment service has found the module 'schemas' of the host application, {schemas.__file__}, "
        f"instead of its own, {_ours}; the host's module needs another name."
    )
