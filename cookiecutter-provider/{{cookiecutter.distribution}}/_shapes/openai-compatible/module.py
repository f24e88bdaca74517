"""{{ cookiecutter.display_name }} for Jackfield: a server that speaks OpenAI's chat dialect."""

from attrs import frozen
from jackfield import HTTPConfig, ProviderInfo
from jackfield_dialect_openai import OpenAICompatibleProvider


@frozen(kw_only=True)
class {{ cookiecutter.__stem }}Config(HTTPConfig):
    """Where the server is; *api_key* and the rest are inherited."""

    base_url: str = "{{ cookiecutter.base_url }}"


class {{ cookiecutter.__stem }}Provider(OpenAICompatibleProvider):
    """{{ cookiecutter.display_name }}. {{ cookiecutter.docs_url }}."""

    info = ProviderInfo(
        name="{{ cookiecutter.name }}",
        display_name="{{ cookiecutter.display_name }}",
        docs_url="{{ cookiecutter.docs_url }}",
{% if cookiecutter.api_key_env %}
        api_key_env="{{ cookiecutter.api_key_env }}",
{% endif %}
{% if cookiecutter.__keyless %}
        api_key_required=False,
{% endif %}
    )
    Config = {{ cookiecutter.__stem }}Config
