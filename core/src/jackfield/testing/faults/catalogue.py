"""The catalogue of faults: every entry by its name, in the order of its rows."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from . import (
    rows_cuts,
    rows_errors,
    rows_events,
    rows_forms,
    rows_http,
    rows_size,
    rows_status,
    rows_time,
)
from .values import Fault

GROUPS = (
    rows_forms,
    rows_events,
    rows_cuts,
    rows_time,
    rows_size,
    rows_errors,
    rows_status,
    rows_http,
)


def _gather() -> Mapping[str, Fault]:
    faults = sorted(
        (fault for group in GROUPS for fault in group.FAULTS), key=lambda fault: fault.row
    )
    names = {fault.name: fault for fault in faults}
    if len(names) != len(faults):
        raise ValueError("two faults share a name")
    return MappingProxyType(names)


CATALOGUE: Mapping[str, Fault] = _gather()
"""Every fault by name. Rows 72 (cancelling) and 74 (hooks) are the caller's, 75 is a sequence (see `FaultServer.url`)."""
