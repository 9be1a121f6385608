"""What a stage did, in numbers that add up: read = published + quarantined + duplicates."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Report:
    """One table of one day: rows in, rows out, and what a person wants to see beside them."""

    rows: int
    """Rows in the partition now."""

    read: int
    published: int
    quarantined: int = 0
    duplicates: int = 0
    changed: bool = True
    figures: dict[str, int | float | str] = field(default_factory=dict)
    incomplete: tuple[str, ...] = ()
    """What could not be had, one line each; empty where the table is whole."""

    doubts: tuple[str, ...] = ()
    """What a person should look at though nothing is known to be missing, one line each."""

    @classmethod
    def of(cls, rows: int, *, changed: bool, **figures: float | str) -> "Report":
        """Report a table that is made anew from tables before it, nothing turned away."""
        return cls(rows=rows, read=rows, published=rows, changed=changed, figures=figures)

    def after(self, first: "Report | None") -> "Report":
        """Return this report and one before it on the same table as one."""
        if first is None:
            return self
        figures = dict(first.figures)
        for name, value in self.figures.items():
            before = figures.get(name)
            both = isinstance(value, int | float) and isinstance(before, int | float)
            figures[name] = before + value if both else value  # type: ignore[operator]
        return Report(
            rows=self.rows,
            read=first.read + self.read,
            published=first.published + self.published,
            quarantined=first.quarantined + self.quarantined,
            duplicates=first.duplicates + self.duplicates,
            changed=first.changed or self.changed,
            figures=figures,
            incomplete=first.incomplete + self.incomplete,
            doubts=first.doubts + self.doubts,
        )

    @property
    def adds_up(self) -> bool:
        """Whether every record read is accounted for."""
        parts = (self.published, self.quarantined, self.duplicates)
        return self.read == sum(parts) and min(parts) >= 0
