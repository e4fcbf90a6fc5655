"""
How jobs are kept, scheduled and run.
"""
