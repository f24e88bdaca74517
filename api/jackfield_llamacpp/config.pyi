"""What is public of jackfield_llamacpp.config; `nox -s api -- --accept` writes it."""
from jackfield.config import Config
__all__ = []
class LlamaCppConfig(Config):
    allow_paths: bool
    chat_format: str | None
    chat_template: str | None
    engine: str
    def file(self) -> Path | None: ...
    flash_attn: bool | None
    def folder(self) -> Path | None: ...
    def load_options(self, *, n_ctx: int | None = None, embedding: bool = False) -> LoadOptions: ...
    max_loaded: int
    model_path: str | None
    models_dir: str | None
    n_batch: int
    n_ctx: int | None
    n_gpu_layers: int
    n_threads: int | None
    pooling: str | None
    seed: int | None
    def template(self) -> str | None: ...
    type_k: str
    type_v: str
    use_mlock: bool
    use_mmap: bool
    def __init__(self, *, timeout: Timeout = ..., retry: RetryPolicy = ..., strict: bool = False, models_dir: str | None = None, model_path: str | None = None, engine: str = 'auto', n_ctx: int | None = None, n_gpu_layers: int = -1, n_threads: int | None = None, n_batch: int = 512, flash_attn: bool | None = None, type_k: str = 'f16', type_v: str = 'f16', use_mmap: bool = True, use_mlock: bool = False, seed: int | None = None, chat_format: str | None = None, chat_template: str | None = None, pooling: str | None = None, max_loaded: int = 2, allow_paths: bool = True) -> None: ...
