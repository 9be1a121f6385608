"""For people: summaries and query results. Reads the catalog, writes to the terminal."""
