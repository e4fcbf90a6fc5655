"""
Parsing of an ideal customer profile in free text.
"""
