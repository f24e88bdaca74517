"""Each way to break the contract, and the check that has to see it."""

from __future__ import annotations

from mutants.declared import BUILD, DECLARED
from mutants.mutant import Mutant

PARSE = "    return ChatResponse("
READ = "    answer = decode(ANSWER, response.body)\n"
IMPORT = "from __future__ import annotations\n"
KEEPING = """
def __init__(self, *given, **options):
    super().__init__(*given, **options)
    for driver in (self._driver, self._async_driver):
        if driver.own is not None:  # the drivers of all providers stay as they are
            driver._transport = driver.own = Keeping(driver.own)
"""
KEEPER = '''
class Keeping:
    """Keeps connections open, for speed."""

    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)

    def open(self, request):
        response = self.inner.open(request)
        if hasattr(response, "__await__"):
            return self.later(response)
        response.close = lambda: None
        return response

    async def later(self, coming):
        response = await coming
        response.close = self.stay
        return response

    async def stay(self):
        pass
'''
RETURN_NOTHING = """
def flow(self, request, *, stream, deadline):
    from jackfield import TransportError
    try:
        return (yield from super().flow(request, stream=stream, deadline=deadline))
    except TransportError:
        return ChatResponse(message=Message("assistant", ""), finish_reason=FinishReason.STOP)
"""
THREAD = """
def auth_headers(self, key):
    import threading
    threading.Thread(target=threading.Event().wait, args=(3,), daemon=True).start()
    return super().auth_headers(key)
"""
TASK = """
def auth_headers(self, key):
    import asyncio
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return super().auth_headers(key)
    self.task = loop.create_task(asyncio.sleep(3))
    return super().auth_headers(key)
"""
HIDES_KEY = """
def __init__(self, config=None, **options):
    key = getattr(dict(config)["api_key"], "reveal", str)()
    super().__init__(config, **options)
"""
BAD_LISTENER = """
def make_error(self, response):
    error = super().make_error(response)
    error.{fact} = {value}
    return error
"""


def _local(check: str, **changes: str) -> Mutant:
    begun = {"        begun = 0\n": changes["begun"]} if "begun" in changes else {}
    return Mutant(check=check, kind="local", changes=begun)


MUTANTS: dict[str, Mutant] = {
    **DECLARED,
    # Who it says it is.
    "no docs": Mutant(
        check="test_its_info_is_complete",
        changes={'        docs_url="https://talk.example/docs",\n': ""},
    ),
    "no variable for the key": Mutant(
        check="test_its_info_is_complete", changes={'        api_key_env="TALK_API_KEY",\n': ""}
    ),
    "another name than its entry point's": Mutant(
        check="test_an_entry_point_leads_to_it", changes={"        name=": '        name="x-" + '}
    ),
    "a contract of tomorrow": Mutant(
        check="test_it_speaks_a_contract_that_this_core_knows",
        changes={'        display_name="Talk",\n': '        display_name="Talk", contract=99,\n'},
    ),
    "info differs on an event loop": Mutant(
        check="test_get_info_tells_the_operations_in_both_colours",
        body="async def aget_info(self):\n    return self.info",
    ),
    # Its verbs.
    "a verb of another shape": Mutant(
        check="test_its_verbs_fit_the_contract", body="def execute(self, prompt_only): ..."
    ),
    "twins that differ": Mutant(
        check="test_each_verb_and_its_twin_take_the_same",
        body="async def aexecute(self, model, prompt): ...",
    ),
    "a verb that forgets parameters": Mutant(
        check="test_a_verb_does_what_its_request_does",
        body="def execute(self, model, prompt, parameters=None, **options):\n"
        "    return self.run(self.chat_request(model, prompt))",
    ),
    "what it lacks is nothing": Mutant(
        check="test_an_operation_it_lacks_is_an_unsupported_operation_error",
        body="def run(self, request):\n"
        "    return super().run(request) if type(request) in self.operations else None",
    ),
    "closed and open": Mutant(
        check="test_a_closed_provider_says_so", body="def close(self):\n    pass"
    ),
    # Being imported.
    "a socket at import": Mutant(
        check="test_importing_it_does_nothing_and_loads_nothing_heavy",
        changes={"": "\nimport socket\nsocket.socket().close()\n"},
    ),
    "a heavy import": Mutant(
        check="test_importing_it_does_nothing_and_loads_nothing_heavy",
        changes={"": "\nimport httpx2\n"},
    ),
    "a slow import": Mutant(
        check="test_importing_it_takes_little_beside_the_core",
        # As slow as the machine is: *core* is how long the check's own interpreter took for the core.
        changes={"": '\nimport __main__, time\ntime.sleep(4 * getattr(__main__, "core", 0))\n'},
    ),
    # Its configuration, and bad input.
    "settings that are no Config": Mutant(
        check="test_its_config_is_a_config",
        changes={
            "class Settings(HTTPConfig):": "class Settings:",
            '    base_url: str = "https://talk.example/v1"\n': '    base_url: str = "https://talk.example/v1"\n'
            "    api_key: Any = None\n    headers: Any = {}\n    ca_file: Any = None\n    cert_file: Any = None\n"
            "    allow_insecure_http: bool = False\n    strict: bool = False\n"
            "    timeout: Any = HTTPConfig().timeout\n    retry: Any = HTTPConfig().retry\n",
        },
    ),
    "unknown settings are ignored": Mutant(
        check="test_every_configuration_problem_is_reported_at_once",
        body="def __init__(self, config=None, **options):\n"
        '    known = {k: v for k, v in dict(config or {}).items() if k in ("base_url", "api_key")}\n'
        "    super().__init__(known, **options)",
    ),
    "any input is taken": Mutant(
        check="test_bad_input_is_refused_with_its_name_before_anything_is_sent",
        body="def chat_request(self, model, prompt, parameters=None, /, **options):\n"
        '    return ChatRequest(model=str(model), messages=(Message("user", str(prompt)),))',
    ),
    "a model's name in the path": Mutant(
        check="test_a_models_name_stays_where_it_belongs",
        changes={
            'json_request("/talk", body)': 'json_request(f"/{call.request.model}/talk", body)'
        },
    ),
    # Parameters.
    "a misspelt parameter": Mutant(
        check="test_its_table_names_common_parameters_only",
        changes={'        "temperature": Param': '        "temprature": Param'},
    ),
    "a parameter that gets lost": Mutant(
        check="test_a_parameter_is_sent_or_warned_about",
        changes={BUILD: '    call.wire.pop("until", None)\n' + BUILD},
    ),
    "strict or not": Mutant(
        check="test_with_strict_a_parameter_it_lacks_is_an_error",
        body="def chat_request(self, *given, **options):\n"
        '    return super().chat_request(*given, **{**options, "strict": None})',
    ),
    "clamped in silence": Mutant(
        check="test_a_value_beyond_a_limit_is_clamped_with_a_warning",
        body="def prepare(self, request, stream=False):\n"
        "    call = super().prepare(request, stream)\n"
        "    call.warnings.clear()\n    return call",
    ),
    "limits the wrong way round": Mutant(
        check="test_a_value_at_a_limit_is_no_compromise", changes={"ge=0, le=2": "ge=2, le=0"}
    ),
    "no JSON": Mutant(
        check="test_any_valid_parameters_make_a_body", changes={"convert=list": "convert=iter"}
    ),
    # Secrets.
    "a key in the repr": Mutant(
        check="test_the_key_is_in_no_representation",
        body='def __repr__(self):\n    return f"<Talk {self.key.reveal()}>"',
    ),
    "a key in the body": Mutant(
        check="test_explaining_sends_nothing_and_masks_the_key",
        changes={BUILD: '    call.wire["key"] = call.provider.key.reveal()\n' + BUILD},
    ),
    "a key in the URL": Mutant(
        check="test_the_key_goes_into_a_header",
        changes={'"/talk", body': '"/talk?key=" + call.provider.key.reveal(), body'},
    ),
    "a key that an error keeps": Mutant(
        check="test_an_error_that_quotes_the_key_is_masked",
        body=BAD_LISTENER.format(fact="raw", value="response.body"),
    ),
    "a key in a traceback": Mutant(
        check="test_a_configuration_error_does_not_quote_the_key", body=HIDES_KEY
    ),
    "a key in the log": Mutant(
        check="test_the_key_is_in_no_log",
        body="def auth_headers(self, key):\n    import logging\n"
        '    logging.getLogger("talk").debug("key %s", key.reveal())\n'
        "    return super().auth_headers(key)",
    ),
    # Answers.
    "other words": Mutant(
        check="test_a_recording_is_read_as_it_says",
        changes={'Message("assistant", answer.said)': 'Message("assistant", answer.said.upper())'},
    ),
    "a dict for an answer": Mutant(
        check="test_a_recording_is_read_as_it_says", changes={PARSE: "    return dict("}
    ),
    "a dict for a proof": Mutant(
        check="test_its_capability_file_is_what_was_proved", changes={PARSE: "    return dict("}
    ),
    "names for models": Mutant(
        check="test_a_recording_is_read_as_it_says",
        changes={"[ModelInfo(id=name) for name in decode": "[name for name in decode"},
    ),
    "a warning of an unknown kind": Mutant(
        check="test_a_recording_is_read_as_it_says",
        changes={
            "    ChatRequest,\n": "    CallWarning,\n    ChatRequest,\n",
            "        id=answer.id,\n": '        id=answer.id,\n        warnings=(CallWarning("odd", "so"),),\n',
        },
    ),
    "state in the module": Mutant(
        check="test_every_colour_reads_the_same",
        changes={
            "        id=answer.id,\n": "        id=str(COUNT.append(1) or len(COUNT)),\n",
            "ANSWER = ": "COUNT: list[int] = []\nANSWER = ",
        },
    ),
    "chunks for events": Mutant(
        check="test_however_the_bytes_arrive_the_outcome_is_the_same",
        changes={
            "        for _, data in frames:\n": "        got = len(out)\n        for _, data in frames:\n",
            "                self.done = True\n": "                self.done = True\n"
            "        if len(frames) > 1:\n"
            "            said = ''.join(str(e) for e in out[got:] if isinstance(e, TextDelta))\n"
            "            out[got:] = [e for e in out[got:] if not isinstance(e, TextDelta)] + [TextDelta(said)]\n",
        },
    ),
    "another answer in a stream": Mutant(
        check="test_a_streams_events_fold_into_its_response",
        body="def flow(self, request, *, stream, deadline):\n    from attrs import evolve\n"
        "    result = yield from super().flow(request, stream=stream, deadline=deadline)\n"
        "    return evolve(result, id='mine') if stream else result",
    ),
    "no field may be new": Mutant(
        check="test_unknown_fields_are_tolerated",
        changes={
            "class Answer(msgspec.Struct):": "class Answer(msgspec.Struct, forbid_unknown_fields=True):"
        },
    ),
    "finished from the start": Mutant(
        check="test_a_cut_stream_is_never_a_success_with_missing_text",
        changes={"self.finished = self.done = False": "self.finished, self.done = True, False"},
    ),
    # Failures.
    "one error for all": Mutant(
        check="test_a_status_is_the_typed_error_of_it",
        body="def make_error(self, response):\n    from jackfield import LLMError\n"
        '    return LLMError("It failed.", status=response.status)',
    ),
    "no time to wait": Mutant(
        check="test_how_long_to_wait_is_told",
        body=BAD_LISTENER.format(fact="retry_after", value="None"),
    ),
    "nothing is an answer": Mutant(
        check="test_what_is_no_answer_is_an_error",
        changes={
            READ: "    try:\n        answer = decode(ANSWER, response.body)\n    except Exception:\n"
            '        answer = Answer("", "", FinishReason.STOP)\n'
        },
    ),
    "it asserts what it reads": Mutant(
        check="test_a_wrong_part_of_an_answer_is_no_untyped_error",
        changes={
            "    tokens: int | None = None": "    tokens: Any = None",
            READ: READ + "    assert isinstance(answer.tokens, int | None)\n",
        },
    ),
    "a broken connection is an answer": Mutant(
        check="test_a_connection_that_breaks_is_an_error_in_every_colour", body=RETURN_NOTHING
    ),
    # What is left behind.
    "a stream that is kept": Mutant(
        check="test_leaving_a_stream_closes_its_response",
        body="kept: ClassVar[list[Any]] = []\ndef stream(self, request):\n"
        "    self.kept.append(super().stream(request))\n    return self.kept[-1]",
    ),
    "connections that are kept": Mutant(
        check="test_a_call_leaves_no_response_and_no_thread",
        body=KEEPING,
        changes={"class Healthy": KEEPER + "\n\nclass Healthy"},
    ),
    "a thread": Mutant(check="test_a_call_leaves_no_response_and_no_thread", body=THREAD),
    "a task": Mutant(
        check="test_a_call_on_an_event_loop_leaves_no_response_and_no_task", body=TASK
    ),
    "one colour asks for more": Mutant(
        check="test_every_colour_sends_the_same",
        body="async def arun(self, request):\n    from attrs import evolve\n"
        "    more = {'model': 'large'} if isinstance(request, ChatRequest) else {}\n"
        "    return await super().arun(evolve(request, **more))",
    ),
    "capabilities that nothing shows": Mutant(
        check="test_its_capability_file_is_what_was_proved",
        proved={"streaming": {"result": "fail", "proof": "streamed"}},
    ),
    # In this process.
    "a stream of its own": _local(
        "test_a_stream_gives_what_a_plain_call_gives",
        begun="        COUNT[0] += 1\n        begun = COUNT[0]\n",
    ),
    "another answer in a thread": _local(
        "test_an_event_loop_gives_what_a_plain_call_gives",
        begun="        import threading\n"
        "        begun = int(threading.current_thread() is not threading.main_thread())\n",
    ),
}

for _name, _check in {
    "connections that are kept, when left": "test_leaving_a_stream_on_an_event_loop_closes_its_response",
    "connections that are kept, in a stream": "test_cancelling_a_stream_closes_its_response",
    "connections that are kept, in a call": "test_cancelling_a_call_closes_its_response",
}.items():
    MUTANTS[_name] = Mutant(
        check=_check, body=KEEPING, changes={"class Healthy": KEEPER + "\n\nclass Healthy"}
    )
for _name, _check in {
    "left and disturbed": "test_a_stream_that_is_left_does_not_disturb_the_next_call",
    "cancelled and disturbed": "test_a_cancelled_call_does_not_disturb_the_next_one",
}.items():
    MUTANTS[_name] = Mutant(
        check=_check,
        kind="local",
        changes={
            "        begun = 0\n": "        begun = COUNT[0]\n        COUNT[0] += 1\n",
            "output_tokens=most))\n": "output_tokens=most))\n        COUNT[0] -= 1\n",
            "            yield TextDelta": '            __import__("time").sleep(0.02)\n            yield TextDelta',
        },
    )

UNTRIED: dict[str, str] = {}
"""Checks that no mutant stands for, and why."""
