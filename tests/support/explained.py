"""What names in the reference mean, where the code has no room to say it: parameters, arguments of hooks, constants."""

PARAMETERS = {
    "max_tokens": "the answer ends after as many tokens, with the reason `length`",
    "temperature": "how much chance there is: 0 takes the likeliest token each time, more is more varied",
    "top_p": "only the likeliest tokens are drawn from, as many as have this probability together",
    "top_k": "only as many of the likeliest tokens are drawn from",
    "min_p": "only tokens at least so probable are drawn from, as a share of the likeliest one's probability",
    "seed": "the same seed draws the same tokens, as far as the backend keeps to it",
    "stop": "texts that end the answer; they are not part of it",
    "presence_penalty": "above 0, a token that was there is less likely to come again",
    "frequency_penalty": "above 0, a token is the less likely, the more often it was there",
    "repeat_penalty": "above 1, tokens that were there are less likely to come again, by that factor",
    "reasoning_effort": "how long a model may think before it answers: a word, from `none` to `max`",
    "context_length": "how many tokens a local model's memory has, the prompt and the answer together",
    "parallel_tool_calls": "whether several tool calls may come in one answer",
}

HOOK_ARGUMENTS = {
    "provider": "who is asked; where it is a text, the provider's name",
    "model": "the model's name, as the provider knows it",
    "request": "what is asked; its type says which operation it is",
    "nested": "whether a route asks, whose own call went through this hook already",
    "deadline": "when the whole call has to be over, on the driver's clock",
    "cli": "the click group of `jackfield`; commands are added with `cli.command()`",
}

# Public constants and aliases that have no string below them in the source.
CONSTANTS = {
    "jackfield.ContentPart": "A part of a message: one of these.",
    "jackfield.hookimpl": "Marks a function that implements a hook.",
    "jackfield.hookspec": "Marks a function that says what a hook takes and gives.",
    "jackfield.routing.STRATEGIES": "The strategies that come with the core, by their names.",
    "jackfield.testing.faults.DIALECTS": "The dialects that the server which misbehaves speaks.",
    "jackfield.flow.NOW": "The effect whose outcome is the driver's monotonic clock.",
    "jackfield.framing.MAX_EVENT": "The bytes that one event of a stream has at most.",
    "jackfield.http.Exchanges": "How each type of request is performed.",
    "jackfield.params.ALIASES": "Other names that common parameters may be given by, and the common name of each.",
    "jackfield.params.EFFORTS": "The words for `reasoning_effort`, the least first.",
    "jackfield.params.NAMES": "The names of the common parameters.",
    "jackfield.params.ParamTable": "A provider's parameters: common names, and the row of each.",
    "jackfield.secret.MASK": "What stands in a secret's place.",
    "jackfield.types.Json": "An object of JSON.",
    "jackfield_dialect_openai.ERROR_CODES": "The error class for each code of an error that says more than its status.",
    "jackfield_dialect_openai.EXCHANGES": "Chats, embeddings, the list of models, and one model.",
    "jackfield_dialect_openai.operations.BATCHES": "Exchanges: batches.",
    "jackfield_dialect_openai.operations.COMPLETIONS": "Exchanges: completions of a text.",
    "jackfield_dialect_openai.operations.EVERYTHING": "Exchanges: all of these.",
    "jackfield_dialect_openai.operations.FILES": "Exchanges: files that the server keeps.",
    "jackfield_dialect_openai.operations.FINE_TUNING": "Exchanges: fine-tuning jobs.",
    "jackfield_dialect_openai.operations.IMAGES": "Exchanges: images, made and edited.",
    "jackfield_dialect_openai.operations.MODERATION": "Exchanges: moderation.",
    "jackfield_dialect_openai.operations.RERANK": "Exchanges: reranking.",
    "jackfield_dialect_openai.operations.SPEECH": "Exchanges: speech of a text.",
    "jackfield_dialect_openai.operations.TRANSCRIPTION": "Exchanges: transcripts of audio.",
}
