"""Conformance: who a provider says it is, its verbs, its operations, and what importing it does."""

from __future__ import annotations

import inspect
import re

import anyio
import pytest

from ...config import Config
from ...errors import LLMError, UnsupportedOperationError
from ...http import HTTPProvider
from ...plugins import VERBS, canonical
from ...provider import LLMProvider
from ...requests import Request
from ...types import ProviderInfo
from .base import Base
from .observe import BACKENDS, refused, require


class ContractTests(Base):
    """The provider fits the contract."""

    def test_its_info_is_complete(self) -> None:
        """Name, title, documentation page, where the key comes from."""
        info = getattr(self.provider, "info", None)
        where = f"{self.provider.__name__}.info"
        assert isinstance(info, ProviderInfo), f"{where}: set it to a ProviderInfo"
        ok = re.fullmatch(r"[a-z0-9][a-z0-9-]*", info.name) and canonical(info.name) == info.name
        todo = "use lower-case letters, digits and dashes, and no alias of another provider"
        require(ok, f"{where}.name is {info.name!r}", todo)
        require(info.display_name.strip(), f"{where}.display_name is empty", "say what users read")
        if issubclass(self.provider, HTTPProvider):
            ok = info.docs_url.startswith("https://")
            require(ok, f"{where}.docs_url is {info.docs_url!r}", "link the provider's own pages")
        if info.api_key_required:
            todo = "name the environment variable of the key, or set api_key_required=False"
            require(info.api_key_env, f"{where}.api_key_env is missing", todo)

    def test_get_info_tells_the_operations_in_both_colours(self) -> None:
        """`get_info` and `aget_info` say the same, with every operation."""
        provider = self.silent()
        info = provider.get_info()
        names = tuple(sorted(r.__name__ for r in provider.operations))
        require(
            names, "the provider has no operations", "declare exchanges, handlers or operations"
        )
        require(info.operations == names, f"get_info() lists {info.operations}", f"list {names}")
        require(anyio.run(provider.aget_info) == info, "aget_info() differs", "inherit it")

    def test_each_verb_and_its_twin_take_the_same(self) -> None:
        """`aexecute` takes what `execute` takes, and so on."""
        for verb in VERBS:
            mine = inspect.signature(getattr(self.provider, verb)).parameters
            twin = inspect.signature(getattr(self.provider, f"a{verb}")).parameters
            base = inspect.signature(getattr(LLMProvider, verb)).parameters
            what = f"{verb}{tuple(mine)} and a{verb}{tuple(twin)} differ"
            require(list(mine) == list(twin), what, "give both the same parameters")
            ok = list(mine)[: len(base)] == list(base)
            require(
                ok, f"{verb} takes {tuple(mine)}", f"begin with {tuple(base)}, as users know it"
            )

    def test_its_config_is_a_config(self) -> None:
        """The configuration class derives from `Config`, and the one given here is valid."""
        cls = self.provider.Config
        require(
            issubclass(cls, Config), f"{cls.__name__} is no Config", "derive from jackfield.Config"
        )
        issues = self.silent().validate_config()
        todo = "correct the config of this conformance class, or check_config"
        require(not issues, f"the configuration is not valid: {[str(i) for i in issues]}", todo)

    @pytest.mark.parametrize("streamed", [False, True], ids=["plain", "streamed"])
    def test_an_operation_it_lacks_is_an_unsupported_operation_error(self, streamed: bool) -> None:
        """A request type that nobody knows is refused, in every colour, saying what there is."""

        class Unheard(Request[None]):
            """A request that no provider performs."""

        provider = self.silent()
        todo = "leave call() to the core, and declare what there is in operations"
        try:
            _ = list(provider.stream(Unheard())) if streamed else provider.run(Unheard())
        except UnsupportedOperationError as error:
            known = sorted(r.__name__ for r in provider.operations)
            said = all(name in str(error) for name in known)
            require(said, f"the message lacks {known}: {error}", "say what there is")
        else:
            require(False, "an unknown request was performed", todo)

        async def main() -> None:
            with refused(UnsupportedOperationError, todo):
                await (
                    provider.astream(Unheard()).drain() if streamed else provider.arun(Unheard())
                )

        for backend in BACKENDS:
            anyio.run(main, backend=backend)

    def test_a_closed_provider_says_so(self) -> None:
        """A call after `close` is a typed error that says what to do."""
        with self.silent() as provider:
            pass
        with refused(LLMError, "call super().close() in close", "closed"):
            provider.list_models()
