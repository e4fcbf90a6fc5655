"""
Bugs that the tests have to find.
"""
