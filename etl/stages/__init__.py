"""The stages of one day, in order: each reads the tables before it and replaces its own.

A stage puts sources, normalising, judging and the lake together and reports what it did. When and
in what order the stages run belongs to `assets`.
"""
