r"""Registry keys in one spelling: evidence and telemetry write the same key in several.

`HKCU\S-1-5-21-…\Software\Run` and `\HKEY_CURRENT_USER\SOFTWARE\Run\` are `user:software\run`, a
numbered control set is the current one, and a key may come without its hive. The query makes the
replacements of this module on the column, so that both sides agree.
"""

import re
from typing import Final

REPLACEMENTS: Final = {
    "ends": (r"^\\+|\\+$", ""),
    "user": (r"^(hkey_current_user|hkcu|hkey_users|hku)(\\+|$)", "user:"),
    "machine": (r"^(hkey_local_machine|hklm)(\\+|$)", "machine:"),
    "classes": (r"^(hkey_classes_root|hkcr)(\\+|$)", "classes:"),
    "other": (r"^(hkey_[a-z_]+|hkcc)(\\+|$)", "other:"),
    "account": (r"^([a-z]+:)?(\.default|s-1-[0-9-]+(_classes)?)(\\|$)", r"\1"),
    "control": (
        r"^([a-z]+:)?(system\\)?controlset[0-9][0-9][0-9](\\|$)",
        r"\1\2currentcontrolset\3",
    ),
}
"""What to replace by what, in this order, in a key in lower case; `is_registry_key.kql` has a place
for each."""

_HIVE: Final = re.compile(r"^(user|machine|classes|other):")
_HIVES: Final = ("", "user:", "machine:", "classes:", "other:")
_PATTERNS: Final = tuple(
    (re.compile(pattern.replace("$", r"\Z")), by) for pattern, by in REPLACEMENTS.values()
)


def spelled(name: str) -> str:
    """Return a key, given in lower case, in the one spelling."""
    for pattern, by in _PATTERNS:
        name = pattern.sub(by, name)
    return name


def spellings(name: str) -> list[str]:
    """Return what a key may be spelled as, where either side may come without its hive."""
    key = spelled(name.lower())
    path = _HIVE.sub("", key)
    if not path:
        return []
    return [path, key] if path != key else [hive + path for hive in _HIVES]
