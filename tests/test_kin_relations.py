"""Each relation between events and trees, file by file, over rows written by hand."""

import polars as pl
from days import TEN_MS, Row, T, frame
from kin import answer, birth, by, deed, parent, relation

from etl.contracts.core import ALERT_EVIDENCE
from etl.contracts.hunting import hunting

PLATFORMS = pl.DataFrame(
    {"DeviceId": ["w", "l"], "Platform": ["windows", "linux"], "Coarse": [1, 100_000]}
)
PARAMETERS = pl.DataFrame({"Above": 2, "Below": 2})
NAMING = {
    "DeviceId": pl.String, "Pid": pl.Int64, "Ticks": pl.Int64, "FileName": pl.String,
    "SHA1": pl.String, "SHA256": pl.String, "CommandLine": pl.String, "ParentPid": pl.Int64,
    "ParentTicks": pl.Int64, "Before": pl.Int64,
}  # fmt: skip
MENTION = {
    "Source": pl.Int64, "DeviceId": pl.String, "Pid": pl.Int64, "Ticks": pl.Int64,
    "FileName": pl.String, "SHA1": pl.String, "SHA256": pl.String, "CommandLine": pl.String,
    "SeenTicks": pl.Int64, "Naming": pl.Struct(NAMING), "Parent": pl.Struct(NAMING),
}  # fmt: skip
LINK = ("DeviceId", "Pid", "Ticks", "ParentPid", "ParentTicks")


def naming(device: str, pid: int, at: int, **more: object) -> dict[str, object]:
    """Return how an event names a process."""
    return dict.fromkeys(NAMING) | {"DeviceId": device, "Pid": pid, "Ticks": at, **more}


def mentions(*rows: dict[str, object]) -> pl.DataFrame:
    """Return mentions, what is not given null."""
    return pl.DataFrame([dict.fromkeys(MENTION) | row for row in rows], schema=MENTION)


def said(source: int, device: str, pid: int, at: int, **more: object) -> dict[str, object]:
    """Return a mention of a process."""
    return {"Source": source, "DeviceId": device, "Pid": pid, "Ticks": at, **more}


def matches(*keys: tuple[str, str, str, int, int]) -> pl.DataFrame:
    """Return matches of evidence, none of them ambiguous, and one that is."""
    schema = ["AlertId", "EvidenceId", "DeviceId", "ProcessId", "InstanceTicks"]
    rows = pl.DataFrame([*keys], schema=schema, orient="row").with_columns(Ambiguous=False)
    ambiguous = {"AlertId": ["a9"], "EvidenceId": ["e9"], "Ambiguous": [True]}
    return pl.concat([rows, pl.DataFrame(ambiguous)], how="diagonal")


def events(**tables: list[Row]) -> pl.DataFrame:
    """Return the events of all tables."""
    frames = [
        frame(hunting(name), rows).with_columns(EventTable=pl.lit(name))
        for name, rows in tables.items()
    ]
    return pl.concat(frames, how="diagonal")


def test_named_events() -> None:
    """Whole keys are namings; only a creation row is bound by its time, and only if that is cut."""
    linux, own = {"DeviceId": "l"}, {"DeviceId": "w"}
    at = -(T % TEN_MS)
    rows = [
        birth(7, 5, **by(6, at, "bash"), **parent(5, 1)) | linux,
        birth(7, 6, **by(7, at, "bash")) | linux,
        birth(7, 7, **by(6, at + 1)) | linux,
        birth(7, 8, **by(6, at), **parent(4, 1)) | own,
        birth(7, 9, ActionType="OpenProcess", **by(4, 1)) | own,
        birth(7, 10, ActionType="ProcessCreatedAggregatedReport", **by(0, 1)) | own,
    ]
    found = answer(
        "named_events",
        """select EventId, Created, Aggregated, Initiator.Pid, Initiator.FileName,
        Initiator.Before, InitiatorParent.Pid from ({})""",
        AllEvents=events(DeviceProcessEvents=rows, DeviceFileEvents=[deed("file", **own)]),
        Platforms=PLATFORMS,
    )

    assert found == [
        ("birth 7 10", False, True, None, None, None, None),
        ("birth 7 5", True, False, 6, "bash", T + 6, 5),
        ("birth 7 6", True, False, 7, "bash", T + 6, None),
        ("birth 7 7", True, False, 6, None, None, None),
        ("birth 7 8", True, False, 6, None, None, None),
        ("birth 7 9", False, False, None, None, None, None),
        ("file", False, False, None, None, None, None),
    ]


def test_mentions() -> None:
    """Statements about possible kin come once each, whoever makes them, with the earliest time."""
    named = relation(
        "named_events",
        AllEvents=events(
            DeviceProcessEvents=[
                birth(7, 0, "own", DeviceId="w", **by(6, -9, "up"), **parent(5, -20))
            ],
            DeviceFileEvents=[
                deed("a", 4, DeviceId="w", **by(7, 0, "OWN")),
                deed("b", 3, DeviceId="w", **by(7, 0, "OWN")),
                deed("c", 5, "FileCreatedAggregatedReport", DeviceId="w", **by(7, 0, "OWN")),
                deed("stranger", 5, DeviceId="w", **by(9, 0)),
            ],
        ),
        Platforms=PLATFORMS,
    )
    evidence = {
        "AlertId": "a1", "EvidenceId": "e1", "EvidenceType": "processEvidence", "Raw": "{}",
        "FileName": "evidence",
    }  # fmt: skip
    found = answer(
        "mentions",
        """select Source, Pid, FileName, Naming.Ticks, Parent.Pid, Parent.FileName, SeenTicks
        from ({})""",
        NamedEvents=named,
        KinSlots=pl.DataFrame({"DeviceId": ["w", "w"], "Pid": [7, 6], "Slot": [T, T - 9]}),
        Matches=matches(("a1", "e1", "w", 7, T)),
        AlertEvidence=frame(ALERT_EVIDENCE, [evidence]),
    )

    assert found == [
        (1, 7, "own", None, 6, "up", T),
        (2, 6, "up", T - 9, 5, None, T),
        (2, 7, "OWN", T, None, None, T + 3),
        (3, 7, "evidence", None, None, None, None),
        (4, 7, "OWN", T, None, None, T + 5),
    ]


def test_kin_slots() -> None:
    """Cut keys are followed up by links, down as far as is said, whoever shares a slot."""
    links = pl.DataFrame(
        [
            ("l", 7, 5, 6, 4), ("l", 6, 4, 5, 3), ("l", 5, 3, 4, 2), ("l", 8, 6, 7, 5),
            ("l", 9, 7, 8, 6), ("l", 10, 8, 9, 7), ("l", 11, 9, 6, 4),
        ],
        schema=["DeviceId", "Pid", "Slot", "ParentPid", "ParentSlot"],
        orient="row",
    )  # fmt: skip
    found = answer(
        "kin_slots",
        Matches=matches(("a1", "e1", "l", 7, 512_345)),
        Platforms=PLATFORMS,
        ProcessLinks=links,
        AncestorLinks=links.head(2),
        Parameters=PARAMETERS,
    )

    assert found == [("l", 5, 3), ("l", 6, 4), ("l", 7, 5), ("l", 8, 6), ("l", 9, 7)]


def test_known_processes() -> None:
    """Creation rows and evidence are known, and on Linux whoever is named to the microsecond."""
    rows = mentions(
        said(1, "l", 7, 512_340, FileName="own", SeenTicks=2),
        said(1, "l", 7, 512_340, FileName="again", SeenTicks=3),
        said(2, "l", 7, 500_000, FileName="cut"),
        said(2, "l", 7, 512_350, FileName="other", Parent=naming("l", 6, 499_999)),
        said(2, "w", 7, 500_001, FileName="initiator"),
        said(3, "w", 7, 500_001, FileName="evidence"),
        said(4, "l", 8, 512_350),
    )
    found = answer("known_processes", Mentions=rows, Platforms=PLATFORMS)

    assert found == [
        ("l", 7, 512_340, "own", None, None, None, None, None),
        ("l", 7, 512_350, "other", None, None, None, 6, 4),
        ("w", 7, 500_001, "evidence", None, None, None, None, None),
    ]


def test_named_processes() -> None:
    """A naming means the known process of its time; a cut one, the one of its slot that agrees."""
    known = pl.DataFrame(
        [
            ("w", 7, 500_001, "x", None, "bb", "x", None, None),
            ("l", 7, 510_000, "bash", None, "AA", "bash", 6, 4),
            ("l", 7, 520_000, "bash", None, "AA", "bash -x", 7, 5),
            ("l", 8, 500_000, "sh", None, None, "sh", None, None),
            ("l", 8, 590_000, "sh", None, None, "sh", None, None),
        ],
        schema=["DeviceId", "Pid", "Ticks", "FileName", "SHA1", "SHA256", "CommandLine",
                "ParentPid", "ParentSlot"],
        orient="row",
    )  # fmt: skip
    cases = [
        (naming("w", 7, 500_001, SHA256="cc"), 500_001),
        (naming("w", 7, 500_002), 500_002),
        (naming("l", 7, 500_000, CommandLine="bash -x"), 520_000),
        (naming("l", 7, 500_000, SHA256="aa", ParentPid=6, ParentTicks=400_000), 510_000),
        (naming("l", 7, 500_000, FileName="bash"), 500_000),
        (naming("l", 7, 500_000, FileName="bash", Before=520_000), 510_000),
        (naming("l", 7, 500_000, FileName="bash", Before=520_001), 520_000),
        (naming("l", 7, 500_000, FileName="bash", Before=510_000), 500_000),
        (naming("l", 7, 500_000, FileName="python"), 500_000),
        (naming("l", 7, 520_000, FileName="python"), 520_000),
        (naming("l", 8, 500_000, FileName="SH"), None),
        (naming("l", 9, 500_000), 500_000),
    ]
    rows = mentions(*(said(2, str(n["DeviceId"]), 1, 1, Naming=n) for n, _ in cases))
    found = answer("named_processes", Mentions=rows, KnownProcesses=known, Platforms=PLATFORMS)
    means = {tuple(row[0].values()): row[3] for row in found}  # type: ignore[attr-defined]

    assert [(n, means[tuple(n.values())]) for n, _ in cases] == cases
    assert len(found) == len(cases)


def test_resolved_mentions() -> None:
    """Mentions have the processes that they mean; nobody is its own parent; reports link nobody."""
    own, cut, nobody = naming("l", 7, 500_000), naming("l", 6, 400_000), naming("l", 8, 500_000)
    named = pl.DataFrame(
        [(own, "l", 7, 512_340), (cut, "l", 6, 499_990), (nobody, "l", 8, None)],
        schema={"Naming": pl.Struct(NAMING), "DeviceId": pl.String, "Pid": pl.Int64,
                "Ticks": pl.Int64},
        orient="row",
    )  # fmt: skip
    rows = mentions(
        said(1, "l", 9, 600_010, Parent=own),
        said(1, "l", 7, 512_340, Parent=own),
        said(2, "l", 7, 500_000, Naming=own, Parent=cut),
        said(4, "l", 7, 500_000, Naming=own, Parent=cut),
        said(2, "l", 8, 500_000, Naming=nobody, Parent=cut),
        said(2, "l", 7, 500_000, Naming=own, Parent=nobody),
    )
    chosen = "select Source, Pid, Ticks, ParentPid, ParentTicks from ({})"
    found = answer("resolved_mentions", chosen, Mentions=rows, NamedProcesses=named)

    assert found == [
        (1, 7, 512_340, None, None),
        (1, 9, 600_010, 7, 512_340),
        (2, 7, 512_340, 6, 499_990),
        (2, 7, 512_340, 8, None),
        (4, 7, 512_340, None, None),
    ]


def test_lineage() -> None:
    """The creation row's parent goes first, and a loop is opened at its earliest process."""
    rows = pl.DataFrame(
        [
            (2, 1, "w", 7, 100, 5, 50), (1, 2, "w", 7, 100, 6, 60), (1, 3, "w", 7, 100, 4, 40),
            (1, 1, "w", 6, 60, 9, 70), (1, 1, "w", 9, 70, 6, 60), (1, 1, "w", 8, 110, 7, 100),
        ],
        schema=["Source", "SeenTicks", *LINK],
        orient="row",
    )  # fmt: skip
    found = answer(
        "lineage",
        ResolvedMentions=rows,
        Matches=matches(("a1", "e1", "w", 7, 100)),
        Parameters=PARAMETERS.with_columns(Above=32),
    )

    assert found == [("w", 7, 100, 6, 60), ("w", 8, 110, 7, 100), ("w", 9, 70, 6, 60)]


def test_kin() -> None:
    """Each process has the depth of the nearest evidence; descendants go before ancestors."""
    links = [("w", pid, 10 * pid, pid - 1, 10 * pid - 10) for pid in range(2, 10)]
    found = answer(
        "kin",
        Matches=matches(
            ("a1", "e1", "w", 4, 40), ("a1", "e2", "w", 4, 40), ("a2", "e1", "w", 2, 20),
            ("a2", "e2", "w", 7, 70),
        ),
        Lineage=pl.DataFrame(links, schema=LINK, orient="row"),
        Parameters=PARAMETERS,
    )  # fmt: skip
    depths = {(row[0], row[2]): row[4] for row in found}

    assert depths == {
        ("a1", 2): -2, ("a1", 3): -1, ("a1", 4): 0, ("a1", 5): 1, ("a1", 6): 2,
        ("a2", 1): -1, ("a2", 2): 0, ("a2", 3): 1, ("a2", 4): 2, ("a2", 5): -2, ("a2", 6): -1,
        ("a2", 7): 0, ("a2", 8): 1, ("a2", 9): 2,
    }  # fmt: skip
    assert len(found) == len(depths)
