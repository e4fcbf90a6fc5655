"""
The edges of HTTP, each a small piece: errors, bodies, tokens, the process. Knows nothing of what a job is.
"""
