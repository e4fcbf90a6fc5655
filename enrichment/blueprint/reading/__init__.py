"""
A profile in free text, read into an ideal customer profile.
"""
