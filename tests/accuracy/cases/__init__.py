"""Every case that worlds are made of, in the order of the table; a module makes its own known."""

from importlib import import_module

from accuracy.case import CASES

__all__ = ["CASES"]

for _name in ("pids", "times", "chains", "rows", "places", "alerts", "gaps", "programs"):
    import_module(f"{__name__}.{_name}")
