"""
Jobs, findings and blueprints in PostgreSQL, shared by any number of processes; imported with `JOBS_BACKEND=postgres`.
"""
