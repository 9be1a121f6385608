"""Every case that worlds are made of; importing them makes them known."""

from accuracy.case import CASES
from accuracy.cases import alerts, chains, gaps, pids, places, programs, rows, times

__all__ = ["CASES", "alerts", "chains", "gaps", "pids", "places", "programs", "rows", "times"]
