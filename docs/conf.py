"""How Sphinx makes the documentation's site from the pages of this repository.

    nox -s docs      checks the pages and writes the site into build/site

The pages are plain Markdown that reads as well where the repository is browsed. So the source is the whole repository,
and a link from a page to a README or a licence leads there on the site, too.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from jackfield import __version__
from support.sphinx_site import connect

project = "Jackfield"
copyright = "the authors of Jackfield; Apache-2.0"  # noqa: A001  # Sphinx's own name for it
version = release = __version__

root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/**.md",
    "core/*.md",
    "plugins/*/*.md",
    "benchmarks/*.md",
    "cookiecutter-provider/*.md",
]
exclude_patterns = [".*", "build", "**/src", "**/tests", "**/.venv"]
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
nitpicky = True

myst_heading_anchors = 6  # with the fragments that a repository's web page gives them

# `Config` of a provider is a class that has its own description.
autodoc_default_options = {"members": True, "exclude-members": "Config"}
autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False
default_role = "py:obj"
napoleon_numpy_docstring = False

html_theme = "furo"
html_title = "Jackfield"
html_extra_path = ["_site"]
html_show_sphinx = False
html_copy_source = False
html_theme_options: dict[str, object] = {"top_of_page_buttons": []}


def setup(app: object) -> None:
    """Connect what the site has beyond the pages."""
    connect(app)
