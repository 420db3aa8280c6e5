"""Which of our processors does what LLMStack's did, and where its fields are here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType

from ingle.processors.pieces import Path

__all__ = ["RULES", "Rule", "instead_of"]

CHAT = "localai/chatgpt"


@dataclass(frozen=True, slots=True)
class Rule:
    """How a processor of LLMStack becomes a step.

    `input` and `config` say where a field goes; what they do not name keeps its name in `keeps`,
    and is else left out with a note. `silent` are fields that change nothing here, `told` those
    whose loss changes something, with what to do. `outputs` are fields of the output that have
    another name here.
    """

    use: str
    input: Mapping[str, Path] = field(default_factory=dict)
    config: Mapping[str, Path] = field(default_factory=dict)
    outputs: Mapping[str, Path] = field(default_factory=dict)
    keeps: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    told: Mapping[str, str] = field(default_factory=dict)
    is_hosted: bool = True
    """Whether its models are those of a service, which are not on this machine."""
    gives_addresses: bool = False
    """Whether its pictures are addresses, and not base64 as ours are."""
    note: str | None = None
    """What is told of each."""
    system_of: tuple[str, ...] = ()
    """Fields of the configuration that together are the system message."""
    size_of: str | None = None
    """The field of the configuration that says how large a picture is, in pixels."""


_SAMPLING = frozenset(
    {"max_tokens", "temperature", "top_p", "n", "stop", "presence_penalty", "frequency_penalty"}
    | {"logit_bias", "seed", "stream", "function_call"}
)
_HISTORY = frozenset(
    {"retain_history", "auto_prune_chat_history", "max_history", "chat_history_limit"}
)
_OUR_OWN = frozenset({"base_url", "model", "timeout"})

_CHAT_INPUT: Mapping[str, Path] = {
    "system_message": ("system",),
    "messages": ("input", "messages"),
    "chat_history": ("input", "chat_history"),
    "functions": ("input", "functions"),
}
_OPENAI_CHAT = Rule(use=CHAT, input=_CHAT_INPUT, keeps=_SAMPLING, silent=_HISTORY)
_ANSWER: Path = ("choices", 0, "content")
_MESSAGES_OF_OTHERS = Rule(
    use=CHAT,
    input={"messages": ("input", "messages")},
    config={"system_prompt": ("system",)},
    outputs={"message": _ANSWER, "result": _ANSWER},
    keeps=_SAMPLING,
    silent=_HISTORY | {"safe_prompt"},
)
_LLM = Rule(
    use=CHAT,
    input={"input_message": ("prompt",)},
    config={"system_message": ("system",)},
    outputs={"text": _ANSWER, "output_str": _ANSWER, "objref": _ANSWER},
    keeps=_SAMPLING,
    silent=_HISTORY | {"objref"},
)
_VISION = Rule(
    use="localai/chatgpt_vision",
    input={"messages": ("input", "messages"), "system_message": ("system",)},
    keeps=_SAMPLING - {"n", "function_call"},
    silent=_HISTORY | {"n", "function_call"},
)
_COMPLETIONS = Rule(
    use="localai/completions",
    input={"prompt": ("prompt",)},
    keeps=frozenset({"max_tokens", "temperature", "top_p", "n", "stop", "seed", "stream"}),
    silent=frozenset({"echo", "logprobs", "presence_penalty", "frequency_penalty", "suffix"}),
)
_IMAGES = Rule(
    use="localai/image_generations",
    input={"prompt": ("prompt",)},
    keeps=frozenset({"size"}),
    silent=frozenset({"response_format", "quality"}),
    told={"n": "One picture is made. For more, use `for_each`."},
    gives_addresses=True,
)
_ANY_IMAGE: Mapping[str, Path] = {
    "image": ("input", "image"),
    "image_data": ("input", "image"),
    "mask": ("input", "mask"),
    "prompt": ("input", "prompt"),
}
_EDITED = Rule(use="localai/images_edit", input=_ANY_IMAGE, keeps=frozenset({"size", "n"}))
_AUDIO_INPUT: Mapping[str, Path] = {
    "file": ("input", "file"),
    "file_data": ("input", "file"),
    "prompt": ("input", "prompt"),
    "language": ("input", "language"),
}
_HEARD = Rule(
    use="localai/audio_transcriptions",
    input=_AUDIO_INPUT,
    keeps=frozenset({"response_format", "temperature"}),
)
_SPOKEN = Rule(
    use="localai/text_to_speech",
    input={"input_text": ("input", "input_text")},
    keeps=frozenset({"voice", "response_format", "speed"}),
)
_VOICE = "The voice is this machine's own; `voice` in the step's `config` chooses another."
_FILE_TEXT = Rule(
    use="ingle/text_from_file",
    input={"file": ("input", "file"), "file_data": ("input", "file")},
    silent=frozenset({"document_limit", "text_chunk_size", "text_extractor_provider"}),
    told={
        "query": "The whole text is given, not the passages that fit `query`. Where it may be too "
        "long for the model, set `max_characters` in the step's `config`."
    },
    is_hosted=False,
)
_PAGE = replace(
    _FILE_TEXT,
    input={"url": ("input", "file")},
    silent=_FILE_TEXT.silent
    | {"stream_video", "tags_to_extract", "skip_tags", "extract_html", "capture_screenshot"}
    | {"capture_session_video", "timeout", "use_browser"},
    told={
        **_FILE_TEXT.told,
        "instructions": "The page is read as the server sends it: nothing clicks, types or waits.",
    },
)
_HTTP = Rule(
    use="ingle/http_request",
    input={"url": ("input", "url"), "body": ("input", "body"), "query_params": ("input", "query")},
    config={
        "method": ("config", "method"),
        "headers": ("input", "headers"),
        "query_params": ("input", "query"),
        "body": ("input", "body"),
        "read_timeout": ("config", "timeout"),
    },
    outputs={"response": ("text",), "response_json": ("json",), "code": ("status",)},
    silent=frozenset({"connect_timeout", "output_type"}),
    told={
        "cookies": "No cookies are sent. Write them in `input.headers`, under `Cookie`.",
        "user_agent": "Write it in `input.headers`, under `User-Agent`.",
    },
    is_hosted=False,
)


def _here(rule: Rule) -> Rule:
    """The same for LLMStack's LocalAI, whose models and servers are the caller's own."""
    return replace(rule, keeps=rule.keeps | _OUR_OWN, is_hosted=False, gives_addresses=False)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "localai/chatgpt": _here(_OPENAI_CHAT),
        "localai/chatgpt_vision": _here(_VISION),
        "localai/completions": _here(_COMPLETIONS),
        "localai/image_generations": _here(_IMAGES),
        "localai/images_edit": _here(_EDITED),
        "localai/images_variations": _here(replace(_EDITED, use="localai/images_variations")),
        "localai/audio_transcriptions": _here(_HEARD),
        "localai/audio_translations": _here(replace(_HEARD, use="localai/audio_translations")),
        "localai/text_to_speech": _here(_SPOKEN),
        "openai/chatgpt": _OPENAI_CHAT,
        "openai/chatgpt_vision": _VISION,
        "openai/completions": _COMPLETIONS,
        "openai/image_generations": _IMAGES,
        "openai/images_edit": _EDITED,
        "openai/images_variations": replace(_EDITED, use="localai/images_variations"),
        "openai/audio_transcriptions": _HEARD,
        "openai/audio_translations": replace(_HEARD, use="localai/audio_translations"),
        "openai/text_to_speech": _SPOKEN,
        "azure/azure_chatgpt": replace(
            _OPENAI_CHAT, silent=_HISTORY | {"deployment_name", "api_version", "base_url"}
        ),
        "anthropic/messages": _MESSAGES_OF_OTHERS,
        "mistral/chat_completions": _MESSAGES_OF_OTHERS,
        "elevenlabs/text_to_speech": replace(
            _SPOKEN,
            keeps=frozenset(),
            silent=frozenset({"model_id", "voice_settings", "optimize_streaming_latency"}),
            outputs={"audio_content": ("result",)},
            told={"voice_id": _VOICE},
        ),
        "google/speech_to_text": replace(
            _HEARD,
            input={"audio": ("input", "file")},
            keeps=frozenset(),
            silent=frozenset({"objref", "auth_token"}),
        ),
        "promptly/llm": _LLM,
        "promptly/llm_vision": replace(
            _VISION,
            input={"messages": ("input", "messages")},
            config={"system_message": ("system",)},
            outputs=dict.fromkeys(("text", "output_str", "objref"), ("result",)),
            silent=_VISION.silent | {"objref"},
        ),
        "promptly/text_chat": Rule(
            use=CHAT,
            input={"question": ("prompt",)},
            outputs={"answer": _ANSWER},
            keeps=frozenset({"temperature", "seed"}),
            silent=_HISTORY
            | {"k", "use_azure_if_available", "use_localai_if_available", "show_citations"}
            | {"citation_instructions", "chat_history_in_doc_search", "search_filters"}
            | {"hybrid_semantic_search_ratio", "system_message_prefix", "instructions"},
            system_of=("system_message_prefix", "instructions"),
            note="It answers from the model alone: there are no datasources here. To answer from a "
            "document, ask for a `file`, read it with `ingle/text_from_file`, and put its text "
            "into the prompt.",
        ),
        "promptly/image_generator": Rule(
            use="localai/image_generations",
            input={"input_message": ("prompt",)},
            outputs={"output_str": ("data", 0)},
            silent=frozenset({"seed", "aspect_ratio", "width", "height"}),
            size_of="width",
            gives_addresses=True,
        ),
        "promptly/data_uri_text_extract": _FILE_TEXT,
        "promptly/http_uri_text_extract": _PAGE,
        "promptly/static_web_browser": _PAGE,
        "promptly/document_reader": replace(
            _PAGE,
            input={"input": ("input", "file")},
            outputs={"content": ("text",)},
            silent=_PAGE.silent | {"search_configuration", "pages"},
            told={"search_query": _FILE_TEXT.told["query"]},
        ),
        "promptly/simple_http": _HTTP,
        "promptly/echo": Rule(
            use="ingle/template",
            input={"input_str": ("input", "text")},
            outputs={"output_str": ("text",)},
            silent=frozenset({"stream"}),
            is_hosted=False,
        ),
    }
)
"""The rules by LLMStack's slug, `provider/processor`."""

_ELSEWHERE: Mapping[str, str] = {
    "promptly/web_search": "Searching the web needs a search engine's server: ask one with "
    "`ingle/http_request`, or give an MCP server that searches to an agent's `tools`.",
    "promptly/datasource_search": "There are no datasources here: ask for a `file`, and read it "
    "with `ingle/text_from_file`.",
    "promptly/http_api_processor": "Write the request as a step that uses `ingle/http_request`.",
    "promptly/promptly_app": "Another app is a step that uses `app/<slug>`.",
    "promptly/splitter": "A step that uses `ingle/text_split` cuts a text.",
    "promptly/mapper": "A step with `for_each` runs for each item of a list.",
    "promptly/reducer": "A step that uses `ingle/template` makes one text of a list.",
    "promptly/code_interpreter": "Give an MCP server that runs code to an agent's `tools`.",
    "stabilityai/text2image": "A step that uses `localai/image_generations` makes pictures here.",
    "cohere/chat": "A step with a `prompt` is a chat.",
    "google/chat": "A step with a `prompt` is a chat.",
    "google/text_to_speech": "A step that uses `localai/text_to_speech` speaks here.",
}
_PROVIDERS = frozenset(
    {"anthropic", "apollo", "azure", "bounceban", "cohere", "discord", "elevenlabs", "google"}
    | {"heygen", "imgflip", "juniper", "linkedin", "meta", "mistral", "openai", "pinecone"}
    | {"promptly", "qdrant", "singlestore", "slack", "stabilityai", "twilio", "weaviate"}
)


def instead_of(slug: str) -> str | None:
    """What to do without a processor of LLMStack; None if the slug is none of LLMStack's."""
    if (rule := RULES.get(slug)) is not None and slug != rule.use:
        return f"That is LLMStack's name; here it is `{rule.use}`."
    if (said := _ELSEWHERE.get(slug)) is not None:
        return said
    if slug.partition("/")[0] not in _PROVIDERS:
        return None
    return (
        "LLMStack has it, this machine does not. Where a service has an API, ask it with "
        "`ingle/http_request`, or give its MCP server to an agent's `tools`."
    )
