"""
Sample answers of outside services, about invented companies.
"""
