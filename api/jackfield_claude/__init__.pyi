"""What is public of jackfield_claude; `nox -s api -- --accept` writes it."""
from jackfield_claude.config import ClaudeConfig as ClaudeConfig
from jackfield_claude.provider import ClaudeProvider as ClaudeProvider
__all__ = ['ClaudeConfig', 'ClaudeProvider']
