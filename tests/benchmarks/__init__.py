"""
The service measured beside others, and under more load than it can take. `python -m tests.benchmarks` runs it.
"""
