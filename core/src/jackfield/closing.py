"""What is closed by leaving its ``with``."""

from __future__ import annotations

from typing import Self


class Closing:
    """Leaving its ``with`` closes it, whatever happened inside."""

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


class AsyncClosing:
    """`Closing`, for an event loop."""

    async def aclose(self) -> None:
        """End it."""
        raise NotImplementedError

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.aclose()
