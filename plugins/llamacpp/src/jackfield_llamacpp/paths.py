"""From a model's name to its file: looking through a folder, split files, and helpful refusals."""

from __future__ import annotations

import difflib
import os
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from importlib import resources
from pathlib import Path

from attrs import frozen

from . import wsl
from .errors import EngineError

DEMO = "tiny-demo"
"""The id of the model that this package carries."""

_SPLIT = re.compile(r"^(?P<stem>.+)-(?P<part>\d{5})-of-(?P<count>\d{5})$")
_QUANTIZATION = re.compile(
    r"[-._](?:(?:ud-)?i?q\d(?:_[0-9a-z]+)*|tq\d_\d|mxfp4(?:_moe)?|nvfp4|f16|f32|bf16|fp16|fp32)$",
    re.IGNORECASE,
)
_DEEPEST = 6
"""How many folders below the models folder are looked into."""


@frozen(kw_only=True)
class ModelFile:
    """A model on disk: its *id*, the file to load (the first part of a split model), its bytes in all parts."""

    id: str
    path: Path
    size: int


def demo_model() -> ModelFile:
    """The tiny demo model in this package.

    Raises:
        EngineError: `model_not_found` when the installation lacks the file.
    """
    path = Path(str(resources.files(__package__) / "data" / f"{DEMO}.gguf"))
    if not path.is_file():
        raise EngineError(
            "model_not_found",
            f"the demo model is missing from this installation ({path}); reinstall it",
        )
    return ModelFile(id=DEMO, path=path, size=path.stat().st_size)


def split_parts(path: Path) -> list[Path]:
    """Every part of the model that *path* is a part of, in order; just *path* when it is not split."""
    match = _SPLIT.match(path.stem)
    if match is None or not 1 <= int(match["part"]) <= int(match["count"]):
        return [path]
    count = int(match["count"])
    return [
        path.with_name(f"{match['stem']}-{part:05d}-of-{count:05d}{path.suffix}")
        for part in range(1, count + 1)
    ]


def model_name(path: Path) -> str:
    """What a file's model is called: its name without `.gguf` and without a split's part numbers."""
    match = _SPLIT.match(path.stem)
    return match["stem"] if match else path.stem


def plain_name(name: str) -> str:
    """*name* without its quantization, in lower case: `Qwen3-8B-Q4_K_M` and `qwen3-8b.q8_0` are `qwen3-8b`."""
    return _QUANTIZATION.sub("", name).lower()


def discover(folder: Path) -> list[ModelFile]:
    """The models in *folder* and the folders below it, by id; a split model is one model.

    The id is the file's name without its ending; where two folders hold the same name, the ids are
    the paths below *folder*. Vision projectors (`mmproj`) are not models. What cannot be read is
    passed over: listing is no place to fail.

    Raises:
        EngineError: `model_not_found` when *folder* itself is no folder.
    """
    if not is_folder(folder):
        raise EngineError(
            "model_not_found",
            f"no models folder {folder}; set models_dir to a folder with .gguf files",
        )
    files = sorted({_key(path): path for path in _walk(folder, _DEEPEST, set())}.values())
    names = Counter(model_name(path).lower() for path in files)
    found = [_model_file(_id(path, folder, names), split_parts(path)) for path in files]
    return sorted((model for model in found if model), key=lambda model: model.id.lower())


def _walk(folder: Path, depth: int, seen: set[Path]) -> Iterator[Path]:
    """The model files in *folder* and below; a folder that links lead to again is passed over."""
    try:
        place = folder.resolve()
        entries = sorted(folder.iterdir(), key=_links_last)
    except (OSError, RuntimeError):  # the latter for links in a circle
        return
    if place in seen:
        return
    seen.add(place)
    for entry in entries:
        if is_folder(entry):
            if depth and not entry.name.startswith("."):
                yield from _walk(entry, depth - 1, seen)
        elif (
            entry.suffix.lower() == ".gguf"
            and not entry.name.lower().startswith("mmproj")
            and is_file(entry)
        ):
            yield entry


def _links_last(entry: Path) -> tuple[bool, Path]:
    return entry.is_symlink(), entry


def is_folder(path: Path) -> bool:
    """Whether *path* is a folder that can be looked at."""
    try:
        return path.is_dir()
    except OSError:  # a name too long, a folder that may not be looked into
        return False


def is_file(path: Path) -> bool:
    """Whether *path* is a file that can be looked at."""
    try:
        return path.is_file()
    except OSError:
        return False


def _key(path: Path) -> Path:
    return split_parts(path)[0]


def _id(path: Path, folder: Path, names: Counter[str]) -> str:
    name = model_name(path)
    if names[name.lower()] == 1:
        return name
    return path.parent.joinpath(name).relative_to(folder).as_posix()


def _model_file(name: str, parts: Sequence[Path]) -> ModelFile | None:
    try:
        size = sum(part.stat().st_size for part in parts if part.exists())
    except OSError:
        return None
    return ModelFile(id=name, path=parts[0], size=size)


def is_pathlike(name: str) -> bool:
    """Whether *name* can only be a path: it says where a file is."""
    return name.startswith(("/", "~", "./", "../", ".\\", "\\")) or name[1:3] in {":\\", ":/"}


def looks_like_path(name: str) -> bool:
    """Whether *name* is, or could be, a path to a file rather than a model's name."""
    return is_pathlike(name) or name.lower().endswith(".gguf")


def locate(path: str, platform: wsl.Platform, base: Path | None = None) -> Path:
    """The file that *path* means on *platform*: `~` and WSL spellings resolved, relative to *base*.

    Naming any part of a split model means the first.
    """
    file = Path(os.path.expanduser(wsl.translate(path, platform)))  # noqa: PTH111 - keeps `~` when there is no home
    return split_parts((base / file) if base and not file.is_absolute() else file)[0]


def open_path(path: Path) -> ModelFile:
    """The model at *path*, all parts of it present.

    Raises:
        EngineError: `model_not_found` when the file, or a part of a split model, is missing.
    """
    if is_folder(path):
        raise EngineError(
            "model_not_found",
            f"{path} is a folder; name a .gguf file in it, or set models_dir to it",
        )
    parts = split_parts(path)
    if missing := [part.name for part in parts if not is_file(part)]:
        if len(parts) == 1:
            raise EngineError("model_not_found", f"no file {path}{_neighbours(path)}")
        raise EngineError(
            "model_not_found",
            f"{path.parent} lacks {', '.join(missing[:3])}: a split model needs all of its {len(parts)} parts",
        )
    return ModelFile(
        id=model_name(path), path=parts[0], size=sum(part.stat().st_size for part in parts)
    )


def choose(name: str, models: Sequence[ModelFile], where: str) -> ModelFile:
    """The one of *models* that *name* means; *where* says in messages where they were looked for.

    In order: the id; the id in another case; the name without a quantization; the one id that
    contains every word of the name.

    Raises:
        EngineError: `model_not_found`, naming the candidates, when none or several fit.
    """
    wanted = name.lower().removesuffix(".gguf")
    words = [word for word in re.split(r"[^a-z0-9.]+", wanted) if word]
    tests = (
        lambda model: model.id == name,
        lambda model: wanted in {model.id.lower(), model.id.lower().rpartition("/")[2]},
        lambda model: wanted in {plain_name(model.id), plain_name(model.id).rpartition("/")[2]},
        lambda model: bool(words) and all(word in model.id.lower() for word in words),
    )
    for fits in tests:
        fitting = [model for model in models if fits(model)]
        if len({model.path.resolve() for model in fitting}) == 1:  # links may lead to one file
            return fitting[0]
        if fitting:
            several = ", ".join(sorted(model.id for model in fitting)[:8])
            raise EngineError(
                "model_not_found", f"{name!r} could be several models {where}: {several}; say which"
            )
    raise EngineError("model_not_found", f"no model {name!r} {where}; {_suggest(wanted, models)}")


def _suggest(wanted: str, models: Sequence[ModelFile]) -> str:
    ids = [model.id for model in models]
    by_lower = {name.lower(): name for name in ids}
    close = [
        by_lower[match] for match in difflib.get_close_matches(wanted, by_lower, n=3, cutoff=0.5)
    ]
    if close:
        return f"did you mean {' or '.join(close)}?"
    more = f" and {len(ids) - 8} more" if len(ids) > 8 else ""
    return f"have {', '.join(ids[:8])}{more}" if ids else "there is none"


def _neighbours(path: Path) -> str:
    try:
        names = sorted(
            entry.name for entry in path.parent.iterdir() if entry.suffix.lower() == ".gguf"
        )
    except OSError:
        return f" (and no folder {path.parent})"
    close = difflib.get_close_matches(path.name, names, n=3, cutoff=0.4) or names[:5]
    return f"; beside it: {', '.join(close)}" if close else ""
