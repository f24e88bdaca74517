"""{{ cookiecutter.display_name }} keeps the contract that every provider keeps."""

from typing import ClassVar

from jackfield.testing import ProviderConformance

from {{ cookiecutter.__package }} import {{ cookiecutter.__stem }}Provider


class Test{{ cookiecutter.__stem }}(ProviderConformance):
    provider = {{ cookiecutter.__stem }}Provider
    model = "toy"
    in_process = True  # called for real, blocking and on event loops
    # What it can do is what these calls show.
    calls: ClassVar = [
        {"name": "words", "verb": "stream_execute", "model": "toy", "prompt": "A brown pelican."},
        {"name": "models", "verb": "list_models"},
    ]
