"""The calls of one quota, in a small file that every process and thread of this machine shares.

An entry is two numbers: when it was made and, where it is no call but an order to wait, until when.
The file is locked for as long as it is looked at, never while somebody waits, and the kernel lets
go of the lock of a process that dies. What the entries mean for the next call belongs to `limits`.
"""

import fcntl
import hashlib
import math
import os
import stat
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from etl.errors import ConfigError

_ENTRY: Final = struct.Struct("<dd")
_SUFFIX: Final = ".calls"
_OLD: Final = 86_400.0
"""Seconds after which a file that nobody touched says nothing any more."""

_FLAGS: Final = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK

Entry = tuple[float, float]
"""When it was made and, for an order to wait, until when; 0 for a call."""


@dataclass(frozen=True, slots=True)
class Held:
    """The entries, for whoever holds the lock."""

    descriptor: int

    def read(self) -> list[Entry]:
        """Return what can be read as entries; anything else in the file does not count."""
        size = os.fstat(self.descriptor).st_size // _ENTRY.size * _ENTRY.size
        content = os.pread(self.descriptor, size, 0)
        whole = content[: len(content) // _ENTRY.size * _ENTRY.size]
        return [entry for entry in _ENTRY.iter_unpack(whole) if all(map(math.isfinite, entry))]

    def add(self, entry: Entry) -> None:
        """Add an entry; half of one, which a killed process left, is overwritten."""
        end = os.fstat(self.descriptor).st_size // _ENTRY.size * _ENTRY.size
        self._write(_ENTRY.pack(*entry), end)

    def replace(self, entries: Sequence[Entry]) -> None:
        """Leave only some entries; whoever is killed in between leaves too many, never too few."""
        content = b"".join(_ENTRY.pack(*entry) for entry in entries)
        self._write(content, 0)
        os.ftruncate(self.descriptor, len(content))

    def _write(self, content: bytes, at: int) -> None:
        while content:
            written = os.pwrite(self.descriptor, content, at)
            content, at = content[written:], at + written


@dataclass(frozen=True, slots=True)
class Record:
    """The file of one quota."""

    path: Path

    @classmethod
    def of(cls, state: Path, *quota: str) -> "Record":
        """Return the record of a quota, by what it is counted for; old ones are swept.

        Raises ConfigError where it cannot be kept.
        """
        folder = state / "quotas"
        name = hashlib.sha256("\n".join(quota).encode()).hexdigest()[:32]
        record = cls(folder / f"{name}{_SUFFIX}")
        with record.held():
            pass
        _sweep(folder)
        return record

    @contextmanager
    def held(self) -> Iterator[Held]:
        """Lock the file and lend what is in it.

        Raises ConfigError.
        """
        try:
            descriptor = self._locked()
            try:
                yield Held(descriptor)
            finally:
                fcntl.flock(descriptor, fcntl.LOCK_UN)
                os.close(descriptor)
        except OSError as error:
            problem = f"{str(self.path.parent)!r} cannot be used ({error.strerror or error})"
            remedy = "name a folder that this user can write to"
            raise ConfigError("DEFENDER_STATE", problem, remedy) from error

    def _locked(self) -> int:
        """Return the locked file, on a descriptor of its own: so threads lock each other out."""
        while True:
            descriptor = self._open()
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX)
                state = os.fstat(descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            if state.st_nlink and stat.S_ISREG(state.st_mode):
                return descriptor
            os.close(descriptor)
            if state.st_nlink:  # else it was swept before it was locked
                raise OSError(0, f"{self.path.name} is no file")

    def _open(self) -> int:
        try:
            return os.open(self.path, _FLAGS, 0o600)
        except FileNotFoundError:
            folder = self.path.parent
            for one in (folder.parent, folder):
                one.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(self.path, _FLAGS, 0o600)


def _sweep(folder: Path) -> None:
    """Delete the files that nobody touched for a day and nobody holds."""
    before = time.time() - _OLD
    for path in folder.glob(f"*{_SUFFIX}"):
        with suppress(OSError):
            if path.lstat().st_mtime >= before:
                continue
            descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if os.fstat(descriptor).st_mtime < before:
                    path.unlink()
            finally:
                os.close(descriptor)
