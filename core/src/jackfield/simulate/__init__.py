"""Policies tried out before they are rolled out: real routes and limits in virtual time."""

from __future__ import annotations

from .backends import SimulatedProvider
from .pages import to_html
from .policies import read_policy
from .reports import Comparison, Report, compare_reports
from .run import run_simulation
from .scenario import Scenario, load_scenario, read_scenario
from .traces import Call, Trace, read_trace

__all__ = [
    "Call",
    "Comparison",
    "Report",
    "Scenario",
    "SimulatedProvider",
    "Trace",
    "compare_reports",
    "load_scenario",
    "read_policy",
    "read_scenario",
    "read_trace",
    "run_simulation",
    "to_html",
]
