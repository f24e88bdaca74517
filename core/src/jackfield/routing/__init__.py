"""Providers made of providers: each route is a provider itself, so that routes nest."""

from __future__ import annotations

from .kinds import Balance, Fallback, Keys
from .route import Considered, Route, RouteConfig, RouteExplanation
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
    "Verdict",
    "judge",
    "make_strategy",
]
