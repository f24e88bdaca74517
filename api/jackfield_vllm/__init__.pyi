"""What is public of jackfield_vllm; `nox -s api -- --accept` writes it."""
from jackfield_vllm.provider import VLLMConfig as VLLMConfig
from jackfield_vllm.provider import VLLMProvider as VLLMProvider
from jackfield_vllm.scoring import ScoreRequest as ScoreRequest
from jackfield_vllm.scoring import ScoreResponse as ScoreResponse
__all__ = ['ScoreRequest', 'ScoreResponse', 'VLLMConfig', 'VLLMProvider']
