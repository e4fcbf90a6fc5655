"""
Lead enrichment: modules, sources, jobs, blueprints, and their HTTP interface in `enrichment.web`.
"""

__version__ = "0.1.0"
