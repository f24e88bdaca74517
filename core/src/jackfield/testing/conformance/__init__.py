"""The suite that holds a plugin to the provider contract; subclass it in three lines.

::

    from jackfield.testing import ProviderConformance


    class TestMine(ProviderConformance):
        provider = MyProvider
        config = {"api_key": "made-up"}
        recordings = "tests/recordings"  # optional: a file, a folder, or `Recording`s

A provider that runs in the process sets ``in_process = True`` and the name of a ``model``, and is
called for real; ``calls`` are those that show what it can do. Every failure says what to do.
Without recordings the tests that replay traffic are skipped and say what is missing;
`jackfield.testing.recordings` has the format, and a `Tape` that makes such files.

What the recordings, or calls, show is the provider's capabilities: ``pytest
--jackfield-write-capabilities`` writes them into ``capabilities.json`` beside the plugin's code,
from where `get_info`, the command line and the documentation read them.
"""

from __future__ import annotations

from . import (
    capabilities,
    contract,
    failing,
    first,
    generation,
    importing,
    inputs,
    parameters,
    replays,
    secrecy,
    tidiness,
)

__all__ = ["ProviderConformance"]


class ProviderConformance(
    first.FirstTests,
    contract.ContractTests,
    importing.ImportTests,
    inputs.InputTests,
    parameters.ParameterTests,
    secrecy.SecrecyTests,
    replays.ReplayTests,
    failing.FailureTests,
    tidiness.TidinessTests,
    capabilities.CapabilityTests,
    generation.GenerationTests,
):
    """Derive from it, and set ``provider``, ``config`` and, if there are some, ``recordings``."""
