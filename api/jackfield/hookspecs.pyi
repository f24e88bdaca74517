"""What is public of jackfield.hookspecs; `nox -s api -- --accept` writes it."""
__all__ = []
hookimpl = pluggy.HookimplMarker(NAME)
hookspec = pluggy.HookspecMarker(NAME)
