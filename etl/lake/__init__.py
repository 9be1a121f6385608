"""The lake: where partitions live, how one replaces another, and the SQL catalog over them.

Knows contracts, not what the rows mean.
"""
