"""Providers made of providers: each route is a provider itself, so that routes nest."""

from __future__ import annotations

from .endings import StreamFailed, with_errors
from .explained import Considered, RouteExplanation
from .kinds import Balance, Fallback, Keys
from .route import Route, RouteConfig
from .strategies import STRATEGIES, Strategy, make_strategy
from .targets import Candidate, RouteTarget
from .verdicts import Verdict, judge

__all__ = [
    "STRATEGIES",
    "Balance",
    "Candidate",
    "Considered",
    "Fallback",
    "Keys",
    "Route",
    "RouteConfig",
    "RouteExplanation",
    "RouteTarget",
    "Strategy",
    "StreamFailed",
    "Verdict",
    "judge",
    "make_strategy",
    "with_errors",
]
