"""Fill a folder with vocabularies: ``python -m jackfield_tiktoken SOURCE FOLDER``."""

from __future__ import annotations

import sys
from pathlib import Path

from .vocabulary import fill_cache


def main() -> int:
    """Take vocabularies from SOURCE, a package file or a folder, and say which there were."""
    if len(sys.argv) != 3:
        sys.stderr.write("usage: python -m jackfield_tiktoken SOURCE FOLDER\n")
        return 2
    names = fill_cache(Path(sys.argv[1]), Path(sys.argv[2]))
    said = ", ".join(names) or "no vocabulary of OpenAI's"
    sys.stdout.write(f"{said} in {sys.argv[1]}\n")
    return 0 if names else 1


if __name__ == "__main__":
    sys.exit(main())
