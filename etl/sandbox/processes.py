"""Processes: the trees of ordinary processes that every device runs, attack or not.

Rows are made by column; a parent is the row number of another row. Attacks and events are added
elsewhere.
"""

from dataclasses import dataclass

import polars as pl

from etl.sandbox import moments, software
from etl.sandbox.dice import Dice
from etl.sandbox.fleet import Device

STARTED = 90
"""Processes started by a long-running one, per device and day."""
NESTED = 110
"""Processes started by one of those."""
_EXECS = 0.5
_SYSTEM_IMAGES = ("wininit.exe", "services.exe", "lsass.exe", "winlogon.exe", "svchost.exe",
                  "spoolsv.exe", "MsMpEng.exe", "WmiPrvSE.exe", "systemd", "sshd", "cron", "nginx",
                  "launchd", "xpcproxy")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Span:
    """The stretch of time that telemetry covers, in ticks; the end is excluded."""

    start: int
    days: int

    @property
    def end(self) -> int:
        """Return the first tick after the span."""
        return self.start + self.days * moments.DAY


class _Catalogue:
    """The images of one platform by number, for drawing children by column."""

    def __init__(self, platform: str) -> None:
        self.platform = platform
        self.images = software.IMAGES[platform]
        self.names = [image.name for image in self.images]
        children = software.CHILDREN[platform]
        self.drawn = [
            [self.names.index(child) for child in children.get(name, "").split()]
            for name in self.names
        ]
        self.breeders = [number for number, row in enumerate(self.drawn) if row]
        self.roots = software.ROOTS[platform]

    def root_parents(self) -> list[int | None]:
        """Return, for every root, the position of the root that started it."""
        names = [name for name, _ in self.roots]
        return [names.index(parent) if parent else None for _, parent in self.roots]

    def child(self, dice: Dice, image: pl.Series) -> pl.Series:
        """Draw an image that each given image may start."""
        rows = pl.Series(self.drawn, dtype=pl.List(pl.Int64)).gather(image)
        frame = pl.DataFrame({"row": rows, "draw": dice.integers(0, 10_000, len(image))})
        position = pl.col("draw") % pl.col("row").list.len().cast(pl.Int64)
        return frame.select(pl.col("row").list.get(position)).to_series()


def grow(dice: Dice, devices: list[Device], span: Span) -> pl.DataFrame:
    """Return every ordinary process of the fleet; long-running ones come first on each platform."""
    frames: list[pl.DataFrame] = []
    offset = 0
    for platform in software.IMAGES:
        mine = [device.index for device in devices if device.platform == platform]
        trees = _trees(dice, _Catalogue(platform), mine, span)
        frames.append(_frame(trees, platform, offset))
        offset += len(trees)
    return pl.concat(frames)


def _trees(dice: Dice, catalogue: _Catalogue, mine: list[int], span: Span) -> pl.DataFrame:
    roots = _roots(dice, catalogue, mine, span)
    started = _started(dice, catalogue, roots, span)
    nested = _nested(dice, catalogue, pl.concat([roots, started]), span)
    trees = _numbered(dice, pl.concat([roots, started, nested]), catalogue.platform)
    if catalogue.platform == "windows":
        return trees
    return _with_execs(dice, trees, first=len(roots) + len(started))


def _roots(dice: Dice, catalogue: _Catalogue, mine: list[int], span: Span) -> pl.DataFrame:
    width = len(catalogue.roots)
    count = len(mine) * width
    names = [name for name, _ in catalogue.roots]
    parents = catalogue.root_parents()
    boots = dice.integers(moments.MINUTE, 20 * moments.MINUTE, len(mine)).to_list()
    blocks = range(len(mine))
    roots = {
        "device": [device for device in mine for _ in names],
        "image": [catalogue.names.index(name) for _ in mine for name in names],
        "created": [
            span.start + boot + n * 6 * moments.SECOND for boot in boots for n in range(width)
        ],
        "parent": [
            None if parent is None else block * width + parent
            for block in blocks
            for parent in parents
        ],
    }
    late = dice.integers(0, 5 * moments.SECOND, count)
    return pl.DataFrame(roots).with_columns(created=pl.col("created") + late)


def _started(dice: Dice, catalogue: _Catalogue, roots: pl.DataFrame, span: Span) -> pl.DataFrame:
    """Start processes on all days, most of them in working hours."""
    able = roots.select(pl.arg_where(pl.col("image").is_in(catalogue.breeders))).to_series()
    count = STARTED * roots["device"].n_unique() * span.days
    parent = dice.choose(able.cast(pl.Int64), count)
    hour = (dice.uniform(count) + dice.uniform(count)) / 2 * (moments.DAY - 2 * moments.HOUR)
    day = dice.integers(0, span.days, count) * moments.DAY
    return pl.DataFrame(
        {
            "device": roots["device"].gather(parent),
            "image": catalogue.child(dice, roots["image"].gather(parent)),
            "created": hour.cast(pl.Int64) + day + (span.start + moments.HOUR),
            "parent": parent,
        }
    )


def _nested(dice: Dice, catalogue: _Catalogue, so_far: pl.DataFrame, span: Span) -> pl.DataFrame:
    able = so_far.select(pl.arg_where(pl.col("image").is_in(catalogue.breeders))).to_series()
    parent = dice.choose(able.cast(pl.Int64), NESTED * so_far["device"].n_unique() * span.days)
    count = len(parent)
    wait = (dice.exponential(60, count) * moments.SECOND).cast(pl.Int64) + moments.SECOND
    latest = span.end - dice.integers(1, moments.MINUTE, count)
    return pl.DataFrame(
        {
            "device": so_far["device"].gather(parent),
            "image": catalogue.child(dice, so_far["image"].gather(parent)),
            "created": so_far["created"].gather(parent) + wait,
            "parent": parent,
        }
    ).with_columns(created=pl.min_horizontal("created", latest))


def _numbered(dice: Dice, trees: pl.DataFrame, platform: str) -> pl.DataFrame:
    """Give pids: Windows reuses them within a day, the others count upwards."""
    count = len(trees)
    if platform == "windows":
        high = dice.integers(1, 4, count) * 65_536 * dice.chance(0.03, count).cast(pl.Int64)
        return trees.with_columns(pid=dice.integers(100, 3200, count) * 4 + high)
    rank = pl.col("created").rank("ordinal").over("device").cast(pl.Int64) * 3
    if platform == "linux":
        big = pl.col("device") == pl.col("device").min()
        rank += pl.when(big).then(4_194_400).otherwise(500)
    whole = pl.col("created") // moments.MICROSECOND * moments.MICROSECOND
    return trees.with_columns(pid=rank + 300).with_columns(created=whole)


def _with_execs(dice: Dice, trees: pl.DataFrame, *, first: int) -> pl.DataFrame:
    """Let half of the leaves be forks of their parent's image that then exec their own."""
    leaf = pl.int_range(pl.len()) >= first
    numbered = trees.with_columns(
        row=pl.int_range(pl.len()), fork=leaf & dice.chance(_EXECS, len(trees))
    )
    forks = numbered.filter("fork")
    gap = dice.integers(3, 1361, len(forks)) * 10 * moments.MICROSECOND
    execs = forks.with_columns(created=pl.col("created") + gap, parent=pl.col("row"))
    parents_image = pl.col("image").gather(pl.col("parent"))
    before = numbered.with_columns(
        image=pl.when("fork").then(parents_image).otherwise(pl.col("image"))
    )
    return pl.concat([before, execs]).drop("row", "fork")


def _frame(trees: pl.DataFrame, platform: str, offset: int) -> pl.DataFrame:
    images = software.IMAGES[platform]
    known = image_columns(list(images))[trees["image"]]
    return known.with_columns(
        device=trees["device"],
        platform=pl.lit(platform),
        pid=trees["pid"],
        created=trees["created"],
        parent=trees["parent"] + offset,
        as_user=~pl.col("name").is_in(_SYSTEM_IMAGES),
        recorded=pl.lit(value=True),
    )


def image_columns(images: list[software.Image]) -> pl.DataFrame:
    """Return what is known of each image as columns."""
    return pl.DataFrame(
        {
            "name": [image.name for image in images],
            "path": [image.path for image in images],
            "company": [image.company for image in images],
            "product": [image.product for image in images],
            "size": [image.size for image in images],
            "sha1": [image.digest("sha1") for image in images],
            "sha256": [image.digest("sha256") for image in images],
            "md5": [image.digest("md5") for image in images],
            "command": [image.command for image in images],
        },
        schema_overrides={"company": pl.String, "product": pl.String},
    )
