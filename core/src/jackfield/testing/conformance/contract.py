"""Conformance: who a provider says it is, its verbs, its operations, and what importing it does."""

from __future__ import annotations

import importlib.util
import inspect
import json
import re
import subprocess
import sys
from types import SimpleNamespace

import anyio
import pytest

from ...config import Config
from ...errors import LLMError, UnsupportedOperationError
from ...hookspecs import hookimpl
from ...http import HTTPProvider
from ...plugins import CONTRACT, PROVIDERS, VERBS, PluginManager, canonical
from ...provider import LLMProvider
from ...requests import Request
from ...types import ProviderInfo
from .base import Base
from .observe import BACKENDS, require

HEAVY = (
    "aiohttp anthropic cohere google.genai grpc httpx httpx2 httpcore2 huggingface_hub llama_cpp "
    "numpy ollama openai pandas pydantic requests tiktoken tokenizers torch transformers xllamacpp"
).split()
"""Modules that cost more to import than a plugin may, before anybody called it."""

_WATCH = """
import importlib, json, sys
seen = []
def hook(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"opens {args[0]} for writing")
    elif event.split(".")[0] in {"socket", "subprocess", "urllib"} or event in {"os.system", "os.mkdir"}:
        seen.append(event)
sys.dont_write_bytecode = True
sys.path[:] = json.loads(sys.argv[2])
sys.addaudithook(hook)
importlib.import_module(sys.argv[1])
print(json.dumps({"seen": sorted(set(seen)), "modules": list(sys.modules)}))
"""


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
        said = f"{where}.contract is {info.contract}, this core speaks {CONTRACT}"
        require(1 <= info.contract <= CONTRACT, said, f"set it to {CONTRACT}")
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

    def test_an_entry_point_leads_to_it(self) -> None:
        """The plugin is found under its own name, which is the class's."""
        import importlib_metadata

        package = self.provider.__module__.partition(".")[0]
        found = [
            entry
            for entry in importlib_metadata.entry_points(group=PROVIDERS)
            if entry.module.partition(".")[0] == package
        ]
        if not found:
            line = f'[project.entry-points."{PROVIDERS}"]\n{self.provider.info.name} = "…:…"'
            pytest.skip(
                f"no entry point leads to {package}: to be found, its distribution needs\n{line}"
            )
        loaded = {canonical(e.name): e.load() for e in found}
        mine = loaded.get(self.provider.info.name)
        what = (
            f"the entry points of {package} are {sorted(loaded)}, none is {self.provider.info.name}"
        )
        require(mine is self.provider, what, "name the entry point after info.name")

    def test_its_verbs_fit_the_contract(self) -> None:
        """Registering the class checks the signatures of the five verbs."""
        cls = self.provider
        plugin = SimpleNamespace(register_providers=hookimpl(lambda: [cls]))
        PluginManager().register(plugin)

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
            with pytest.raises(UnsupportedOperationError):
                await (
                    provider.astream(Unheard()).drain() if streamed else provider.arun(Unheard())
                )

        for backend in BACKENDS:
            anyio.run(main, backend=backend)

    def test_a_closed_provider_says_so(self) -> None:
        """A call after `close` is a typed error that says what to do."""
        with self.silent() as provider:
            pass
        with pytest.raises(LLMError, match="closed"):
            provider.list_models()

    def test_importing_it_does_nothing_and_loads_nothing_heavy(self) -> None:
        """Importing the module opens no connection, writes no file, starts no process."""
        try:
            found = importlib.util.find_spec(self.provider.__module__)
        except (ModuleNotFoundError, ValueError):
            found = None
        if found is None:
            pytest.skip(f"{self.provider.__module__} is no module that can be imported by its name")
        done = subprocess.run(  # noqa: S603  # our own words in our own interpreter
            [sys.executable, "-c", _WATCH, self.provider.__module__, json.dumps(sys.path)],
            capture_output=True,
            text=True,
            check=False,
        )
        module = self.provider.__module__
        require(
            not done.returncode, f"{module} cannot be imported alone:\n{done.stderr}", "see above"
        )
        report = json.loads(done.stdout.splitlines()[-1])
        todo = "move it into the function that needs it"
        require(not report["seen"], f"importing {module} does {report['seen']}", todo)
        heavy = sorted(set(HEAVY) & set(report["modules"]))
        require(not heavy, f"importing {module} imports {heavy}", todo)
        said = done.stdout.splitlines()[:-1] + done.stderr.splitlines()
        require(not said, f"importing {module} prints {said}", "remove it")
