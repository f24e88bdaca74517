"""Hooks, each with fewer arguments than it may have; a strategy, an executor, a guard."""

from decimal import Decimal

import click
from attrs import evolve
from jackfield import Message, Pricing, hookimpl
from jackfield.flow import HTTPRequest, tap

SEEN = []


@hookimpl
def prepare_call(request):
    return lambda asked: evolve(asked, metadata={**asked.metadata, "seen": "prepare_call"})


@hookimpl
def wrap_call(provider, request):
    def told(flow):
        response = yield from flow
        SEEN.append(("wrap_call", provider.name, request.model))
        return response

    return told


@hookimpl
def wrap_attempt(provider):
    def note(step, outcome):
        if isinstance(step, HTTPRequest):
            SEEN.append(("wrap_attempt", step.method, outcome.status))

    return lambda flow: tap(flow, note)


@hookimpl
def price_model(provider, model):
    first = provider.startswith("first")
    return Pricing(input=Decimal(1), output=Decimal(2)) if first else None


@hookimpl
def count_tokens(provider, model):
    return 42 if provider.startswith("first") else None


@hookimpl
def register_commands(cli):
    @cli.command("first")
    def first():
        """Say that the first contract is kept."""
        click.echo("kept")


class Last:
    def choose(self, candidates, request, chance):
        return candidates[-1]


class InOrder:
    remote = False

    def map(self, function, items, concurrency):
        for index, item in enumerate(items):
            yield index, function(item)


def shout(name="shout", **options):
    def guard(request, response):
        return evolve(response, message=Message("assistant", response.text.upper()))

    return guard
