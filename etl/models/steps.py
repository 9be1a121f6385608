"""Steps: which relation each file of `sql` makes, in the order in which they build on another.

A step is a file, its relation, and what that is: a view, a table, or a macro over relations.
"""

from typing import Final

from etl.models.relations import Steps

MATCHING: Final[Steps] = (
    ("same_process", "SameProcess(Sightings, Instances)", "macro"),
    ("decided", "Decided(Choices)", "macro"),
    ("rows_of", "rows_of(Events, Wanted)", "macro"),
    ("platforms", "Platforms", "table"),
    ("device_families", "DeviceFamilies", "view"),
    ("evidence_sources", "EvidenceSources", "table"),
    ("evidence_keys", "EvidenceKeys", "table"),
    ("event_keys", "EventKeys", "table"),
    ("event_sources", "EventSources", "table"),
    ("oldest", "Oldest", "table"),
    ("process_keys", "ProcessKeys", "table"),
    ("doubts", "Doubts", "table"),
    ("facts", "Facts", "table"),
    ("sightings", "Sightings", "table"),
    ("own_rows", "OwnRows", "view"),
    ("instances", "Instances", "table"),
    ("candidates", "Candidates", "table"),
    ("best", "Best", "table"),
    ("matches", "Matches", "table"),
)
"""Which process every evidence item means, by its key."""

PIVOTING: Final[Steps] = (
    ("leads", "Leads", "table"),
    ("pivot_events", "PivotEvents", "table"),
    ("file_facts", "FileFacts", "table"),
    ("file_hits", "FileHits", "table"),
    ("network_hits", "NetworkHits", "table"),
    ("registry_paths", "RegistryPaths", "table"),
    ("registry_hits", "RegistryHits", "table"),
    ("account_hits", "AccountHits", "table"),
    ("pivots", "Pivots", "table"),
)
"""What else events tell of evidence that has no key."""

EVENTS: Final[Steps] = (
    ("speaking_devices", "SpeakingDevices", "table"),
    ("possible_homes", "PossibleHomes", "table"),
    ("homes", "Homes", "table"),
    ("process_events", "ProcessEvents", "table"),
    ("matched_events", "MatchedEvents", "table"),
    ("events", "Events", "view"),
    ("alert_correlation", "Correlation", "table"),
)
"""The events of every match, and what is said of each evidence item."""

RELATIVES: Final[Steps] = (
    ("process_links", "ProcessLinks", "table"),
    ("ancestor_links", "AncestorLinks", "table"),
    ("kin_slots", "KinSlots", "table"),
)
"""Which process started which."""

TREE: Final[Steps] = (
    ("named_events", "NamedEvents", "view"),
    ("mentions", "Mentions", "table"),
    ("known_processes", "KnownProcesses", "table"),
    ("named_processes", "NamedProcesses", "table"),
    ("resolved_mentions", "ResolvedMentions", "table"),
    ("lineage", "Lineage", "table"),
    ("kin", "Kin", "table"),
    ("process_tree", "Tree", "table"),
)
"""What is near the matched processes: who each process is that an event names, and its parent."""
