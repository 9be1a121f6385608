"""The file that keeps a person signed in: theirs alone, and never half written.

What stands in it is MSAL's affair.
"""

import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from etl.errors import ConfigError

_NAME: Final = "DEFENDER_TOKEN_CACHE"
_OTHERS: Final = 0o077


@dataclass(frozen=True, slots=True)
class TokenFile:
    """A file that only its owner can read."""

    path: Path

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Keep the other sign-ins of this process from asking the same person at once."""
        with _lock(self.path):
            yield

    def read(self) -> str:
        """Return what is in the file, nothing where there is none.

        Raises ConfigError where others can read it too.
        """
        try:
            with self.path.open(encoding="utf-8") as file:
                state = os.fstat(file.fileno())
                if state.st_mode & _OTHERS or state.st_uid != os.geteuid():
                    problem = f"others than this user can read {str(self.path)!r}"
                    remedy = f"delete it and sign in again, or chmod 600 {self.path}"
                    raise ConfigError(_NAME, problem, remedy)
                return file.read()
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            raise self._unusable("read", error) from error

    def write(self, text: str) -> None:
        """Replace what is in the file.

        Raises ConfigError.
        """
        folder = self.path.parent
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle, name = tempfile.mkstemp(dir=folder, prefix=".tokens-")  # 0600
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    file.write(text)
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise self._unusable("written", error) from error

    def unreadable(self) -> ConfigError:
        """Return the error for a content that makes no sense."""
        problem = f"{str(self.path)!r} holds no sign-in"
        return ConfigError(_NAME, problem, "delete it and sign in again")

    def _unusable(self, what: str, error: Exception) -> ConfigError:
        reason = getattr(error, "strerror", None) or "not text"
        problem = f"{str(self.path)!r} cannot be {what} ({reason})"
        return ConfigError(_NAME, problem, "name a file in a folder of this user's own")


@cache
def _lock(path: Path) -> threading.Lock:  # noqa: ARG001 - which file it is for
    return threading.Lock()
