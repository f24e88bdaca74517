"""Configuration of providers: typed, interpolated, and every problem reported at once."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin
from urllib.parse import urlsplit

from attrs import field, fields, frozen

from .errors import ConfigError
from .requests import Timeout
from .retrying import RetryPolicy
from .secret import Secret
from .types import ConfigIssue

C = TypeVar("C")

MISSING = "is required"

Issues = list[ConfigIssue]

_LOOPBACK = re.compile(r"localhost|127(\.\d+){3}|::1|0\.0\.0\.0|.*\.localhost")
_NAME = re.compile(r"\$\{([^}]*)\}?")
_PLACEHOLDERS = (
    "sk-...",
    "sk-…",
    "your-key",
    "your_api_key",
    "your-api-key",
    "changeme",
    "…",
    "...",
)


@frozen(kw_only=True)
class Config:
    """What every provider can be told: *timeout* (seconds, or a table), *retry*, *strict*."""

    timeout: Timeout = field(factory=Timeout)
    retry: RetryPolicy = field(factory=RetryPolicy)
    strict: bool = False


def _secret(value: Any) -> Secret | None:
    return None if value is None else Secret(value)


def _secrets(headers: Mapping[str, Any]) -> dict[str, Secret]:
    return {name: Secret(value) for name, value in headers.items()}


@frozen(kw_only=True)
class HTTPConfig(Config):
    """A provider behind HTTP.

    *api_key* falls back to the provider's environment variable. It is sent to
    *base_url* alone, and over plain HTTP only to this machine unless
    *allow_insecure_http*. *ca_file*, *cert_file* and *key_file* are PEM files.
    """

    base_url: str = ""
    api_key: Secret | None = field(default=None, converter=_secret)
    headers: Mapping[str, Secret] = field(factory=dict, converter=_secrets)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    allow_insecure_http: bool = False


def conceal(given: Any) -> Any:
    """*given* with every text in it wrapped, so that no traceback shows a key, wherever it stands."""
    if isinstance(given, Mapping):
        return {key: conceal(value) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [conceal(value) for value in given]
    return Secret(given) if isinstance(given, str) else given


def load_config(cls: type[C], given: Any, env: Mapping[str, str] | None = None) -> C:
    """An instance of the config class *cls* from plain data, a table.

    ``${NAME}`` in any text is replaced from *env* (the process's environment).

    Raises:
        ConfigError: with one issue for every problem there is.
    """
    if not isinstance(given, Mapping):
        kind = "text" if isinstance(given, str | Secret) else type(given).__name__
        issues = [ConfigIssue("configuration", f"must be a table, not {kind}", 'write {"name": …}')]
    else:
        loaded, issues = _load(cls, conceal(given), os.environ if env is None else env)
        if loaded is not None and not issues:
            return loaded
        del loaded  # what is left in this frame shows in a traceback
    del given
    raise ConfigError("the configuration has problems:", issues)


def _load(
    cls: type[C], given: Mapping[str, Any], environment: Mapping[str, str]
) -> tuple[C | None, list[ConfigIssue]]:
    problems: Issues = []
    names: dict[str, Any] = {f.name: f for f in fields(cls)}  # type: ignore[arg-type]  # an attrs class
    aliases = {a: n for n, f in names.items() for a in f.metadata.get("aliases", ())}
    known: dict[str, Any] = {}
    for key, value in given.items():
        name = aliases.get(key, key)
        if name not in names:
            near = difflib.get_close_matches(str(key), [*names, *aliases], 1)
            fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            problems.append(ConfigIssue(str(key), "no such setting", fix))
        elif name in known:
            problems.append(ConfigIssue(str(key), f"is {name}, which is there too", "keep one"))
        else:
            literal = names[name].metadata.get("literal")
            known[name] = _plain(key, value, None if literal else environment, problems)
    loaded = _structure(cls, known, problems)
    broken = {re.split(r"[.\[]", i.path)[0] for i in problems}
    checked = loaded if loaded is not None else _rest(cls, known, broken)
    rules: Issues = []
    _check(checked, rules)
    problems += [i for i in rules if re.split(r"[.\[]", i.path)[0] not in broken]
    return loaded, problems


def _rest(cls: type[Any], known: Mapping[str, Any], broken: Collection[str]) -> Any:
    """What of *known* is not broken, as far as there are rules for it: to report all at once."""
    base = HTTPConfig if issubclass(cls, HTTPConfig) else Config
    shared = {f.name for f in fields(base)} - set(broken)
    plain = {f.name: f.default for f in fields(cls) if isinstance(f.default, str | bool)}
    usual = {name: value for name, value in plain.items() if name in shared}
    return _structure(base, usual | {k: v for k, v in known.items() if k in shared}, [])


def _plain(path: str, value: Any, env: Mapping[str, str] | None, problems: Issues) -> Any:
    """*value* in plain sight, each ``${NAME}`` replaced, once: what comes in is not looked at again."""
    if isinstance(value, Mapping):
        return {k: _plain(f"{path}.{k}", v, env, problems) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(f"{path}[{i}]", v, env, problems) for i, v in enumerate(value)]
    text = value.reveal() if isinstance(value, Secret) else value
    if env is None or not isinstance(text, str) or "${" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if not match[0].endswith("}") or not re.fullmatch(r"[A-Za-z_]\w*", name):
            problems.append(ConfigIssue(path, "a broken ${…}", "write ${NAME}"))
        elif name not in env:
            problems.append(ConfigIssue(path, f"the environment has no {name}", f"set {name}"))
        return env.get(name, "")

    return _NAME.sub(replace, text)


def _is_choice(kind: Any) -> bool:
    origin: Any = get_origin(kind)
    return origin is Literal


def _one_of(value: Any, kind: Any) -> Any:
    if value not in get_args(kind):
        raise ValueError(f"must be one of {', '.join(map(str, get_args(kind)))}")
    return value


def _exactly(kinds: tuple[type, ...], what: str) -> Callable[[Any, Any], Any]:
    """A structure hook that takes only values of *kinds*, as they are."""

    def structure(value: Any, _: Any) -> Any:
        if not isinstance(value, kinds) or (isinstance(value, bool) and bool not in kinds):
            raise ValueError(f"must be {what}, not {type(value).__name__}")
        if isinstance(value, float) and not math.isfinite(value):
            raise ValueError(f"must be finite, not {value}")
        return value

    return structure


@lru_cache(maxsize=1)
def _converter() -> Any:
    import cattrs

    converter = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)

    converter.register_structure_hook(int, _exactly((int,), "a whole number"))
    converter.register_structure_hook(float, _exactly((int, float), "a number"))
    converter.register_structure_hook(bool, _exactly((bool,), "true or false"))
    converter.register_structure_hook(str, _exactly((str,), "text"))
    converter.register_structure_hook_func(_is_choice, _one_of)
    converter.register_structure_hook(Path, lambda v, _: Path(v).expanduser())
    text = _exactly((str, Secret), "text")
    converter.register_structure_hook(Secret, lambda v, kind: Secret(text(v, kind)))
    plain = cattrs.gen.make_dict_structure_fn(Timeout, converter, _cattrs_forbid_extra_keys=True)

    def timeout(value: Any, kind: Any) -> Timeout:
        if isinstance(value, Timeout):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return total_timeout(value)
        if not isinstance(value, Mapping):
            raise ValueError("must be seconds or a table of connect, first_chunk, idle, total")
        made: Timeout = plain(value, kind)
        return made

    converter.register_structure_hook(Timeout, timeout)
    keep = converter.get_structure_hook(RetryPolicy)
    converter.register_structure_hook(
        RetryPolicy, lambda v, k: v if isinstance(v, RetryPolicy) else keep(v, k)
    )
    return converter


def total_timeout(seconds: float) -> Timeout:
    """All timeouts, none beyond *seconds* in total."""
    usual = Timeout()
    return Timeout(
        connect=min(usual.connect, seconds),
        first_chunk=max(usual.first_chunk, seconds) if seconds > usual.total else seconds,
        idle=seconds,
        total=seconds,
    )


def wrong_timeouts(timeout: Timeout) -> list[str]:
    """The names of what in *timeout* is not above 0 and at most a week."""
    return [f.name for f in fields(Timeout) if not 0 < getattr(timeout, f.name) <= 7 * 86400]


def _structure(cls: type[C], known: dict[str, Any], problems: Issues) -> C | None:
    import cattrs

    try:
        loaded: C = _converter().structure(known, cls)
        return loaded
    except cattrs.BaseValidationError as error:
        for line in cattrs.transform_error(error, format_exception=_reason):
            problem, _, path = line.rpartition(" @ $.")
            fix = "set it" if problem == MISSING else ""
            problems.append(ConfigIssue(path or "configuration", problem or line, fix))
    return None


def _reason(error: BaseException, _kind: type | None) -> str:
    import cattrs

    if isinstance(error, KeyError):
        return MISSING
    if isinstance(error, cattrs.ForbiddenExtraKeysError):
        return f"no such setting: {', '.join(error.extra_fields)}"
    if isinstance(error, ValueError | TypeError):
        return str(error)
    if isinstance(error, AttributeError):
        return "must be a table"  # something was asked for its items
    return f"{type(error).__name__}: {error}"


def _check(config: Any, problems: Issues) -> None:
    """The rules beyond types."""
    timeout = getattr(config, "timeout", None)
    if isinstance(timeout, Timeout):
        for name in wrong_timeouts(timeout):
            problems.append(
                ConfigIssue(f"timeout.{name}", "must be above 0 and at most a week of seconds")
            )
    if not 1 <= config.retry.attempts <= 20:
        problems.append(ConfigIssue("retry.attempts", "must be 1 to 20"))
    for name in ("initial", "maximum", "longest_hint"):
        if not 0 <= getattr(config.retry, name) < math.inf:
            problems.append(ConfigIssue(f"retry.{name}", "must be seconds, 0 or more"))
    if not isinstance(config, HTTPConfig):
        return
    problems += check_url("base_url", config.base_url)
    if config.api_key is not None:
        problems += check_key("api_key", config.api_key.reveal())
    for name, value in config.headers.items():
        if not re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name) or not _printable(value.reveal()):
            problems.append(ConfigIssue("headers", "has what is no header", "use printable ASCII"))
        elif name.lower() in ("host", "content-length", "transfer-encoding"):
            problems.append(ConfigIssue(f"headers.{name}", "cannot be set", "remove it"))
    for name in ("ca_file", "cert_file", "key_file"):
        path = getattr(config, name)
        if path is not None and not Path(path).is_file():
            problems.append(ConfigIssue(name, "there is no such file", "name a PEM file"))


def _printable(text: str) -> bool:
    return all(" " <= c <= "~" for c in text)


def check_key(path: str, key: str) -> list[ConfigIssue]:
    """What is wrong with *key*, which came from *path*."""
    if not key.strip():
        return [ConfigIssue(path, "is empty", "set it, or leave it out")]
    if not _printable(key) or key != key.strip():
        problem = "holds blanks, line breaks or odd characters"
        return [ConfigIssue(path, problem, "paste it again")]
    if key.lower() in _PLACEHOLDERS:
        fix = "put your own key there"
        return [ConfigIssue(path, "is the documentation's placeholder", fix)]
    return []


def check_url(path: str, url: str) -> list[ConfigIssue]:
    """What is wrong with *url*, from *path*, as a base URL; no part of it is told: it may be a key."""
    form = "write http(s)://host[:port]/path"
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        return [ConfigIssue(path, "is not a URL", form)]
    if parts.username or parts.password:
        return [ConfigIssue(path, "holds a user or password", "use api_key or headers")]
    if not known:
        return [ConfigIssue(path, "is not an http(s) URL", form)]
    if not _printable(url) or " " in url or "\\" in url:
        problem = "holds blanks, control or non-ASCII characters"
        return [ConfigIssue(path, problem, "write it in ASCII")]
    if parts.query or parts.fragment or "?" in url or "#" in url:
        return [ConfigIssue(path, "has a query or fragment", "end it with the path")]
    return []


def is_loopback(url: str) -> bool:
    """Whether *url* names this machine."""
    try:
        return _LOOPBACK.fullmatch(urlsplit(url).hostname or "") is not None
    except ValueError:
        return False
