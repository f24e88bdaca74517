"""What is public of jackfield.operations.images; `nox -s api -- --accept` writes it."""
from jackfield.requests import Request
__all__ = []
class ImageRequest(Request[ImageResponse]):
    background: str | None
    images: tuple[MediaPart, ...]
    mask: MediaPart | None
    n: int
    negative_prompt: str | None
    output_format: str | None
    prompt: str
    quality: str | None
    seed: int | None
    size: str | None
    def __init__(self, *, model: str = '', provider_options: Mapping[str, Json] = ..., timeout: Timeout | None = None, strict: bool | None = None, metadata: Mapping[str, Any] = ..., prompt: str, n: int = 1, size: str | None = None, quality: str | None = None, background: str | None = None, output_format: str | None = None, negative_prompt: str | None = None, seed: int | None = None, images: tuple[MediaPart, ...] = ..., mask: MediaPart | None = None) -> None: ...
class ImageResponse:
    cost: Cost
    id: str
    images: tuple[MediaPart, ...]
    model: str
    provider_metadata: Json
    revised_prompts: tuple[str | None, ...]
    usage: Usage
    warnings: tuple[CallWarning, ...]
    def __init__(self, *, id: str = '', model: str = '', images: tuple[MediaPart, ...], revised_prompts: tuple[str | None, ...] = ..., usage: Usage = ..., cost: Cost = ..., warnings: tuple[CallWarning, ...] = ..., provider_metadata: Json = ...) -> None: ...
