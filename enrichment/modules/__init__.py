"""
The questions that are asked about a company.
"""
