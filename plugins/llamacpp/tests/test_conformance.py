"""The provider fits the contract of the core."""

from __future__ import annotations

from jackfield.testing import ProviderConformance
from jackfield_llamacpp import LlamaCppProvider


class TestLlamaCpp(ProviderConformance):
    provider = LlamaCppProvider
    model = "tiny-demo"
