"""
Every check there is; `pytest` runs them all, the linters included.
"""
