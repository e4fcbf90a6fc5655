"""
`POST /enrich` and `GET /enrich/{job_id}`, as each framework's own documentation would write them.
"""
