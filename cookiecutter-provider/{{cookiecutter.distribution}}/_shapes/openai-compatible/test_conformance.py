"""{{ cookiecutter.display_name }} keeps the contract that every provider keeps."""

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance
from jackfield_dialect_openai.testing import RECORDINGS

from {{ cookiecutter.__package }} import {{ cookiecutter.__stem }}Provider


class Test{{ cookiecutter.__stem }}(ProviderConformance):
    provider = {{ cookiecutter.__stem }}Provider
    config: ClassVar = {"api_key": "made-up"}
    # The dialect's own, after its description. Take out what your server lacks, and put yours into the folder.
    recordings: ClassVar = [*RECORDINGS, Path(__file__).with_name("recordings")]
