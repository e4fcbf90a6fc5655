"""
The reading of an ideal customer profile: what a caller writes about the customers they want, as conditions.

`reader` is the way from a text to a profile. Everything that is vocabulary is data, in `data`.
"""
