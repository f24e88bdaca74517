"""Keep what the chosen shape and licence need, drop the rest, and say what comes next."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

# Filled in when the template is used.
ANSWERS = r"""{{ cookiecutter | jsonify }}"""

NEXT = {
    "openai-compatible": "say in {module} what your server does otherwise",
    "http": "put your API in the place of the one in {module}, from top to bottom",
    "local": "put your engine in the place of the toy in {module}",
}


def settle(root: Path, shape: str, package: str, licence: str) -> Path:
    """Move what belongs to *shape* and *licence* to its place below *root*; return the module."""
    source, tests = root / "src" / package, root / "tests"
    chosen = root / "_shapes" / shape
    tests.mkdir()
    module = source / "__init__.py"
    (chosen / "module.py").replace(module)
    (chosen / "capabilities.json").replace(source / "capabilities.json")
    (chosen / "test_conformance.py").replace(tests / "test_conformance.py")
    if (chosen / "recordings").is_dir():
        (chosen / "recordings").replace(tests / "recordings")
    (root / "_licences" / f"{licence}.txt").replace(root / "LICENSE")
    shutil.rmtree(root / "_shapes")
    shutil.rmtree(root / "_licences")
    return module.relative_to(root)


if __name__ == "__main__":
    answers = json.loads(ANSWERS)
    shape = answers["shape"]
    made = settle(Path.cwd(), shape, answers["__package"], answers["licence"])
    print(f"""
{answers["distribution"]} is there, and keeps the contract as it is. Next:

    cd {answers["distribution"]}
    uv sync && uv run pytest        or: pip install -e . "jackfield[test]" && pytest

Then {NEXT[shape].format(module=made.as_posix())}; docs/writing-a-provider.md leads the way.
""")
