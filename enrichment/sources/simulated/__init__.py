"""
Invented answers, for trials and tests.
"""
