"""
Tests of the backend on PostgreSQL, with a real server.
"""
