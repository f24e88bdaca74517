"""Operations that are several requests, as each provider's page shows them: what is asked, and a service's answers.

A flow is Python as the page has it. Its ``answering(…)`` is the provider, whose service gives those
answers, one a request; they are after each service's own description of itself.
"""

from __future__ import annotations

from collections.abc import Mapping

Flows = Mapping[str, str]

_OPENAI: Flows = {
    "BatchCreateRequest": """
provider = answering({"id": "file-1"}, {"id": "batch-1", "status": "validating"})
job = provider.create_batch([provider.chat_request("a-model", "Name a pelican")])
print(job.id, job.status)
""",
    "BatchListRequest": """
provider = answering({"data": [{"id": "batch-1", "status": "completed"}], "has_more": False})
print([(job.id, job.status.value) for job in provider.list_batches()])
""",
    "BatchResultsRequest": """
said = {"choices": [{"message": {"content": "Nila"}, "finish_reason": "stop"}]}
provider = answering(
    {"id": "batch-1", "status": "completed", "output_file_id": "file-2"},
    {"custom_id": "request-0", "response": {"status_code": 200, "body": said}},
)
print([(result.custom_id, result.response.text) for result in provider.batch_results("batch-1")])
""",
    "FileListRequest": """
provider = answering({"data": [{"id": "file-1", "filename": "a.txt"}], "has_more": False})
print([(file.id, file.name) for file in provider.list_files()])
""",
    "FineTuneListRequest": """
provider = answering({"data": [{"id": "job-1", "status": "running"}], "has_more": False})
print([(job.id, job.status.value) for job in provider.list_fine_tunes()])
""",
}

_CLAUDE: Flows = {
    "BatchListRequest": """
provider = answering({"data": [{"id": "batch-1", "processing_status": "in_progress"}]})
print([(job.id, job.status.value) for job in provider.list_batches()])
""",
    "BatchResultsRequest": """
said = {"content": [{"type": "text", "text": "Nila"}], "stop_reason": "end_turn"}
provider = answering(
    {"id": "batch-1", "results_url": "https://api.anthropic.com/v1/batch-1/results"},
    {"custom_id": "request-0", "result": {"type": "succeeded", "message": said}},
)
print([(result.custom_id, result.response.text) for result in provider.batch_results("batch-1")])
""",
    "FileListRequest": """
provider = answering({"data": [{"id": "file_1", "filename": "a.txt"}], "has_more": False})
print([(file.id, file.name) for file in provider.list_files()])
""",
}

_COHERE: Flows = {
    "ModelListRequest": """
provider = answering({"models": [{"name": "a-model", "context_length": 128000}]})
print([(model.id, model.context_window) for model in provider.list_models()])
""",
    "TokenCountRequest": """
provider = answering({"tokens": [33, 7, 9], "token_strings": ["Name", " a", " pelican"]})
print(provider.count_tokens("a-model", "Name a pelican"))
""",
}

_GEMINI: Flows = {
    "BatchCancelRequest": """
stopped = {"name": "batches/1", "metadata": {"state": "BATCH_STATE_CANCELLED"}}
provider = answering({}, stopped)
print(provider.cancel_batch("batches/1").status)
""",
    "BatchCreateRequest": """
provider = answering({"name": "batches/1", "metadata": {"state": "BATCH_STATE_PENDING"}})
job = provider.create_batch([provider.chat_request("a-model", "Name a pelican")])
print(job.id, job.status)
""",
    "BatchListRequest": """
running = {"name": "batches/1", "metadata": {"state": "BATCH_STATE_RUNNING"}}
provider = answering({"operations": [running]})
print([(job.id, job.status.value) for job in provider.list_batches()])
""",
    "BatchResultsRequest": """
said = {"candidates": [{"content": {"parts": [{"text": "Nila"}]}, "finishReason": "STOP"}]}
inlined = {"inlinedResponses": [{"response": said, "metadata": {"key": "request-0"}}]}
ended = {"state": "BATCH_STATE_SUCCEEDED", "output": {"inlinedResponses": inlined}}
provider = answering({"name": "batches/1", "metadata": ended})
print([(result.custom_id, result.response.text) for result in provider.batch_results("batches/1")])
""",
    "FileListRequest": """
provider = answering({"files": [{"name": "files/1", "displayName": "a.txt"}]})
print([(file.id, file.name) for file in provider.list_files()])
""",
    "FileUploadRequest": """
place = {"x-goog-upload-url": "https://generativelanguage.googleapis.com/upload/1"}
provider = answering({}, {"file": {"name": "files/1", "state": "ACTIVE"}}, headers=place)
kept = provider.upload_file(b"Hello", "a.txt")
print(kept.id, kept.status)
""",
    "ModelListRequest": """
provider = answering({"models": [{"name": "models/a-model", "inputTokenLimit": 1048576}]})
print([(model.id, model.context_window) for model in provider.list_models()])
""",
}

_HUGGINGFACE: Flows = {
    "TokenizeRequest": """
token = {"id": 7, "text": "pelican", "special": False, "start": 0, "stop": 7}
provider = answering([[token]], base_url="https://my-endpoint.example")
print(provider.tokenize("a-model", "pelican").ids)
""",
    "DetokenizeRequest": """
provider = answering(["pelican"], base_url="https://my-endpoint.example")
print(provider.detokenize("a-model", [7]))
""",
}

_LLAMA_SERVER: Flows = {
    "TokenCountRequest": """
provider = answering({"input_tokens": 11})
print(provider.count_tokens("a-model", "Name a pelican"))
""",
}

_LMSTUDIO: Flows = {
    "ModelListRequest": """
listed = {"key": "a-model", "type": "llm", "loaded_instances": [{"id": "a-model"}]}
provider = answering({"models": [listed]})
for model in provider.list_models():
    print(model.id, model.provider_metadata["lmstudio"]["state"])
""",
    "LoadRequest": """
provider = answering({"status": "loaded"})
provider.run(LoadRequest(model="a-model", context_length=8192))
""",
    "UnloadRequest": """
listed = {"key": "a-model", "type": "llm", "loaded_instances": [{"id": "a-model"}]}
provider = answering({"models": [listed]}, {"instance_id": "a-model"})
provider.run(UnloadRequest(model="a-model"))
""",
}

FLOWS: Mapping[str, Flows] = {
    "azure": _OPENAI,
    "claude": _CLAUDE,
    "cohere": _COHERE,
    "gemini": _GEMINI,
    "huggingface": _HUGGINGFACE,
    "llamacpp-server": _LLAMA_SERVER,
    "lmstudio": _LMSTUDIO,
    "openai": _OPENAI,
    "openai-compatible": _OPENAI,
}
"""The flows of each provider that has some, by the request that each performs."""

HERE: Mapping[str, str] = {
    "llamacpp": """
from jackfield import LLMError, ModelInfoRequest, create_provider

provider = create_provider("llamacpp")  # with the demo model, which knows no more than a few words
print([model.id for model in provider.list_models()])
print(provider.run(ModelInfoRequest(model="tiny-demo")).context_window)
print(provider.execute("tiny-demo", "Name a pelican", {"max_tokens": 5}).usage.output_tokens)
print(len(provider.embed("tiny-demo", ["pelican", "gull"]).vectors))
print(provider.count_tokens("tiny-demo", "Name a pelican").input_tokens)
try:
    provider.rerank("tiny-demo", "Who flies?", ["A hen", "A gull"])
except LLMError as error:
    print(error.message)
""",
    "scripted": """
from jackfield import ModelInfoRequest, create_provider

provider = create_provider("scripted", {"answers": ["Nila"]})
print([model.id for model in provider.list_models()])
print(provider.run(ModelInfoRequest(model="scripted")).id)
print(provider.execute("scripted", "Name a pelican"))
print(len(provider.embed("scripted", ["pelican", "gull"]).vectors))
print(provider.count_tokens("scripted", "Name a pelican").input_tokens)
""",
}
"""What a provider in this process does, here and now."""
