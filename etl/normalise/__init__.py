"""Raw records to the standard model: pure functions over records and frames.

Nothing here reads or writes the lake, and nothing decides whether a row is good: that is
`etl.contracts.judge`.
"""
