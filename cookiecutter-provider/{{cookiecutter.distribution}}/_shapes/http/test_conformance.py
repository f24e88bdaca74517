"""{{ cookiecutter.display_name }} keeps the contract that every provider keeps."""

from pathlib import Path
from typing import ClassVar

from jackfield.testing import ProviderConformance

from {{ cookiecutter.__package }} import {{ cookiecutter.__stem }}Provider


class Test{{ cookiecutter.__stem }}(ProviderConformance):
    provider = {{ cookiecutter.__stem }}Provider
    config: ClassVar = {"api_key": "made-up"}
    # Made up, as the API in the module is: put recordings of yours in their place.
    recordings = Path(__file__).with_name("recordings")
