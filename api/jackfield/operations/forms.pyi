"""What is public of jackfield.operations.forms; `nox -s api -- --accept` writes it."""
__all__ = ['FilePart', 'form_request']
class FilePart:
    data: bytes
    media_type: str
    name: str
    def __init__(self, name: str, media_type: str, data: bytes) -> None: ...
def form_request(path: str, parts: Iterable[tuple[str, Any]]) -> HTTPRequest: ...
