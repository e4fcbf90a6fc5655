"""
Simulated answers, for trials and tests.
"""
