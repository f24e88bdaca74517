"""What is public of jackfield_dialect_openai.wire; `nox -s api -- --accept` writes it."""
__all__ = ['Completion']
class Completion(Struct):
    choices: list[Choice] | None
    citations: Any
    error: Any
    id: str | int | None
    model: str | None
    object: str | None
    prompt_filter_results: Any
    provider: Any
    service_tier: Any
    system_fingerprint: Any
    usage: dict[str, Any] | None
    x_groq: dict[str, Any] | None
