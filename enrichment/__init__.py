"""
What lies behind the routes: jobs, the runner, sources. Knows nothing of HTTP.
"""

__version__ = "0.1.0"
