"""
The HTTP interface: request bodies, parameters and authorization; responses, streams and error answers.

Starlette is imported only here and in `service`.
"""
