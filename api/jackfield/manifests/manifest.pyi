"""What is public of jackfield.manifests.manifest; `nox -s api -- --accept` writes it."""
__all__ = []
FILE = 'jackfield.toml'
KINDS = ('providers', 'plugins', 'executors', 'strategies', 'guards')
class Manifest:
    contract: int | None
    hosts: tuple[str, ...]
    def may_read(self, variable: str | None) -> bool: ...
    secrets: tuple[str, ...]
    def __init__(self, *, contract: int | None = None, hosts: tuple[str, ...] = ..., secrets: tuple[str, ...] = ...) -> None: ...
