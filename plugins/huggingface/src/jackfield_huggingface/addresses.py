"""Where the operations of Hugging Face go: the router, one model's tasks, or an endpoint of one's own."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from urllib.parse import urlsplit

from jackfield import ConfigIssue
from jackfield.http import origin
from jackfield_dialect_openai import OpenAICompatibleProvider

from . import config as settings


class Addressed(OpenAICompatibleProvider):
    """A provider whose tasks are elsewhere than its chats."""

    @cached_property
    def _prefix(self) -> str:
        return settings.chats(self.config)

    @cached_property
    def shared(self) -> bool:
        """Whether tasks go to where many models are, and not to an endpoint of one's own."""
        return "{model}" in settings.tasks(self.config)

    @cached_property
    def has_tei(self) -> bool:
        """Whether embeddings and rankings have routes of their own."""
        return not self.shared and self.config.server == "tei"

    @cached_property
    def origins(self) -> tuple[str, ...]:
        """Those of chats and tasks, and the hub's beside the router's."""
        found = (*super().origins, origin(settings.tasks(self.config)))
        return (*found, origin(self.config.hub_url)) if self.shared else found

    def task_url(self, model: str, pipeline: str = "", route: str = "") -> str:
        """Where a task of *model* is: its *pipeline* among many, its *route* on one's own."""
        base = settings.address(settings.tasks(self.config), model)
        path = f"/pipeline/{pipeline}" if pipeline and self.shared else ""
        return base + (route if self.has_tei else path)

    def check_config(self) -> Sequence[ConfigIssue]:
        """No key for the router, or addresses to which it would go in the clear."""
        router = urlsplit(self._prefix).hostname in settings.SHARED
        fix = "set api_key or HF_TOKEN, or base_url to an endpoint of your own"
        missing = ConfigIssue("api_key", "there is none, and the router wants one", fix)
        keyless = [missing] if router and self.key is None else []
        return [*super().check_config(), *keyless, *settings.check(self.config)]
