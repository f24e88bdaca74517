"""Configuration of providers: typed, interpolated, and every problem reported at once."""

from __future__ import annotations

import difflib
import math
import os
import re
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from functools import lru_cache, partial
from pathlib import Path
from types import GenericAlias, NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin
from urllib.parse import urlsplit

from attrs import field, fields, frozen, has, resolve_types

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
_PLACEHOLDERS = frozenset("sk-... sk-… your-key your_api_key your-api-key changeme … ...".split())


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
    *allow_insecure_http*. *headers* go with every request. *ca_file*, *cert_file* and
    *key_file* are PEM files. *allow_hosts* are reached beside the plugin's own.
    """

    base_url: str = ""
    api_key: Secret | None = field(default=None, converter=_secret)
    headers: Mapping[str, Secret] = field(factory=dict, converter=_secrets)
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    allow_insecure_http: bool = False
    allow_hosts: tuple[str, ...] = ()


class Settled(Secret):
    """A text whose ``${NAME}`` were replaced already: what came in is not looked at again."""

    __slots__ = ()


def conceal(given: Any, wrap: Callable[[str], Secret] = Secret) -> Any:
    """*given* with every text in it wrapped, so that no traceback shows a key, wherever it stands."""
    if isinstance(given, Mapping):
        return {key: conceal(value, wrap) for key, value in given.items()}
    if isinstance(given, list | tuple):
        return [conceal(value, wrap) for value in given]
    return wrap(given) if isinstance(given, str) else given


def load_config(cls: type[C], given: Any, env: Mapping[str, str] | None = None) -> C:
    """An instance of the config class *cls* from plain data, a table.

    ``${NAME}`` in any text is replaced from *env* (the process's environment).

    Raises:
        ConfigError: with one issue for every problem there is.
    """
    if not isinstance(given, Mapping):
        issues = [ConfigIssue("configuration", _no_table(given), 'write {"name": …}')]
    else:
        loaded, issues = try_config(cls, conceal(given), os.environ if env is None else env)
        if loaded is not None and not issues:
            return loaded
        del loaded  # what is left in this frame shows in a traceback
    del given
    raise ConfigError("the configuration has problems:", issues)


def try_config(
    cls: type[C], given: Mapping[str, Any], env: Mapping[str, str]
) -> tuple[C | None, Issues]:
    """As `load_config`, but what is wrong stands beside what could be made."""
    problems: Issues = []
    known = known_settings(cls, given, "", env, problems)
    loaded = structure(cls, known, problems)
    broken = {re.split(r"[.\[]", i.path)[0] for i in problems}
    checked = loaded if loaded is not None else _rest(cls, known, broken)
    problems += [i for i in common_issues(checked) if re.split(r"[.\[]", i.path)[0] not in broken]
    return loaded, problems


def known_settings(
    cls: type[Any],
    given: Mapping[str, Any],
    path: str,
    env: Mapping[str, str] | None,
    found: Issues,
) -> dict[str, Any]:
    """What of the table *given*, at *path*, is a setting of *cls*: under its own name, in plain sight.

    A field's metadata say more of it: ``aliases``; ``literal``, whose ``${NAME}`` stay;
    ``check``, which raises ValueError("problem: fix"); ``rest``, which takes what else there is.
    """
    names = {f.name: f for f in fields(resolve_types(cls))}
    rest = next((names.pop(n) for n, f in list(names.items()) if "rest" in f.metadata), None)
    aliases = {a: n for n, f in names.items() for a in f.metadata.get("aliases", ())}
    known: dict[str, Any] = {rest.name: {}} if rest else {}
    for key, value in given.items():
        name, where = aliases.get(key, key), f"{path}.{key}" if path else str(key)
        if name in names and name not in known:
            how = names[name].metadata
            inside = None if "literal" in how else env
            count, check = len(found), how.get("check", bool)
            known[name] = _inner(names[name].type, where, value, inside, found)
            try:
                len(found) > count or check(known[name])
            except ValueError as error:
                problem, _, fix = str(error).partition(": ")
                found.append(ConfigIssue(where, problem, fix))
                del known[name]
        elif name in names:
            found.append(ConfigIssue(where, f"is {name} again, by another name", "keep one"))
        elif rest:
            known[rest.name][key] = value
        else:
            near = difflib.get_close_matches(str(key), [*names, *aliases], 1)
            fix = f"did you mean {near[0]}?" if near else f"there are {', '.join(names)}"
            found.append(ConfigIssue(where, "no such setting", fix))
    return known


def _inner(kind: Any, path: str, value: Any, env: Mapping[str, str] | None, found: Issues) -> Any:
    """*value* of the type *kind* in plain sight, each table within it by its class."""
    inside = [k for k in get_args(kind) if k is not NoneType]
    if get_origin(kind) in (Union, UnionType) and len(inside) == 1:
        return _inner(inside[0], path, value, env, found)
    if has(kind) and isinstance(value, Mapping):
        return known_settings(kind, value, path, env, found)
    if inside and has(inside[-1]) and isinstance(value, Mapping):
        made = ((k, _inner(inside[-1], f"{path}[{k!r}]", v, env, found)) for k, v in value.items())
        return dict(made)
    if inside and has(inside[0]) and isinstance(value, list | tuple):
        return [_inner(inside[0], f"{path}[{i}]", v, env, found) for i, v in enumerate(value)]
    return _plain(path, value, env, found)


def _rest(cls: type[Any], known: Mapping[str, Any], broken: Collection[str]) -> Any:
    """What of *known* is not broken, as far as there are rules for it: to report all at once."""
    base = HTTPConfig if issubclass(cls, HTTPConfig) else Config
    shared = {f.name for f in fields(base)} - set(broken)
    plain = {f.name: f.default for f in fields(cls) if isinstance(f.default, str | bool)}
    usual = {name: value for name, value in plain.items() if name in shared}
    return structure(base, usual | {k: v for k, v in known.items() if k in shared}, [])


def _plain(path: str, value: Any, env: Mapping[str, str] | None, problems: Issues) -> Any:
    """*value* in plain sight, each ``${NAME}`` replaced, once: what comes in is not looked at again."""
    if isinstance(value, Mapping):
        return {k: _plain(f"{path}.{k}", v, env, problems) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(f"{path}[{i}]", v, env, problems) for i, v in enumerate(value)]
    text = value.reveal() if isinstance(value, Secret) else value
    if env is None or isinstance(value, Settled) or not isinstance(text, str) or "${" not in text:
        return text

    def replace(match: re.Match[str]) -> str:
        name = match[1]
        if not match[0].endswith("}") or not re.fullmatch(r"[A-Za-z_]\w*", name):
            problems.append(ConfigIssue(path, "a broken ${…}", "write ${NAME}"))
        elif name not in env:
            problems.append(ConfigIssue(path, f"the environment has no {name}", f"set {name}"))
        return env.get(name, "")

    return _NAME.sub(replace, text)


def _no_table(value: Any) -> str:
    kind = "text" if isinstance(value, str | Secret) else type(value).__name__
    return f"must be a table, not {kind}"


def _among(value: Any, kind: Any) -> Any:
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

    converter: Any = cattrs.Converter(forbid_extra_keys=True, detailed_validation=True)
    converter.register_structure_hook(int, _exactly((int,), "a whole number"))
    converter.register_structure_hook(float, _exactly((int, float), "a number"))
    converter.register_structure_hook(bool, _exactly((bool,), "true or false"))
    converter.register_structure_hook(str, _exactly((str,), "text"))
    converter.register_structure_hook_func(lambda k: getattr(k, "__origin__", 0) is Literal, _among)
    word, number = _exactly((str, Path), "text"), _exactly((int, float, Decimal), "a number")
    converter.register_structure_hook(Path, lambda v, kind: Path(word(v, kind)).expanduser())
    converter.register_structure_hook(Decimal, lambda v, kind: Decimal(str(number(v, kind))))
    text = _exactly((str, Secret), "text")
    converter.register_structure_hook(Secret, lambda v, kind: Secret(text(v, kind)))
    converter.register_structure_hook_factory(has, partial(_of_table, converter))
    listed = _exactly((list, tuple), "a list")  # a text has items, too: its letters
    converter.register_structure_hook_func(
        lambda k: get_args(k)[1:] == (...,),
        lambda v, k: tuple(converter.structure(listed(v, k), GenericAlias(list, get_args(k)[:1]))),
    )
    return converter


def _of_table(converter: Any, cls: type[Any]) -> Callable[[Any, Any], Any]:
    """The structure hook of an attrs class; a number of seconds is a `Timeout`, too."""
    import cattrs

    plain = cattrs.gen.make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)

    def structure(value: Any, kind: Any) -> Any:
        if isinstance(value, cls):
            return value
        if cls is Timeout and isinstance(value, int | float) and not isinstance(value, bool):
            return total_timeout(value)
        if not isinstance(value, Mapping):
            seconds = "must be seconds or a table of connect, first_chunk, idle, total"
            raise ValueError(seconds if cls is Timeout else _no_table(value))
        return plain(value, kind)

    return structure


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


def structure(cls: type[C], known: Mapping[str, Any], problems: Issues) -> C | None:
    """An instance of *cls* from its `known_settings`; None, and more *problems*, where types are wrong."""
    import cattrs

    try:
        loaded: C = _converter().structure(known, cls)
        return loaded
    except cattrs.BaseValidationError as error:
        told = {p.path for p in problems}
        for line in cattrs.transform_error(error, format_exception=_reason):
            problem, _, path = line.rpartition(" @ $.")
            if path not in told:  # or it is there, and wrong
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


def common_issues(config: Any) -> Issues:
    """What is wrong with *config* beyond types: its timeouts and retries, its address, key and headers."""
    problems: Issues = []
    timeout = getattr(config, "timeout", None)
    if isinstance(timeout, Timeout):
        for name in {"total"} & {*wrong_timeouts(timeout)} or wrong_timeouts(timeout):
            problems.append(
                ConfigIssue(f"timeout.{name}", "must be above 0 and at most a week of seconds")
            )
    if not 1 <= config.retry.attempts <= 20:
        problems.append(ConfigIssue("retry.attempts", "must be 1 to 20"))
    for name in ("initial", "maximum", "longest_hint"):
        if not 0 <= getattr(config.retry, name) < math.inf:
            problems.append(ConfigIssue(f"retry.{name}", "must be seconds, 0 or more"))
    if not isinstance(config, HTTPConfig):
        return problems
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
    return problems


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
