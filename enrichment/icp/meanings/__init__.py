"""
What a mention means in its relation to the company: a condition on it, or none. One file for each topic.
"""
