"""Talking to Microsoft, whatever is asked: sign-in, one HTTP client, quotas.

What is asked, and what the answers mean, belongs to `etl.sources`.
"""
