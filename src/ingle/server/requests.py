"""What a request to a model of this machine may hold; anything else is refused by name.

llama.cpp takes a negative temperature, roles it has never heard of and an empty list of messages
without a word. Each request is decoded once into one of these shapes, which costs about as much
as parsing it; the bytes that go to the engine stay those that came. Fields that are not named here
pass unlooked at: OpenAI has more than an engine knows, and llama.cpp has its own.

The ranges are those of OpenAI's and Anthropic's API references of 2025.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

from ingle.errors import InvalidRequest, UnsupportedInput

__all__ = [
    "AtLeastOne",
    "CompletionRequest",
    "EmbeddingRequest",
    "EngineRequest",
    "Fraction",
    "NonNegative",
    "Object",
    "RerankRequest",
    "SampledRequest",
    "Stop",
    "Temperature",
    "TextRequest",
    "Tokens",
    "TokensRequest",
]

MAX_CHOICES = 128
MAX_INPUTS = 2048
MAX_STOPS = 16
"""OpenAI takes four; LocalAI and llama.cpp any number."""

Choices = Annotated[int, Meta(ge=1, le=MAX_CHOICES)]
Fraction = Annotated[float, Meta(ge=0, le=1)]
Temperature = Annotated[float, Meta(ge=0, le=2)]
Penalty = Annotated[float, Meta(ge=-2, le=2)]
Bias = Annotated[float, Meta(ge=-100, le=100)]
AtLeastOne = Annotated[int, Meta(ge=1)]
NonNegative = Annotated[int, Meta(ge=0)]
Stop = Annotated[str, Meta(min_length=1)]
Stops = Stop | Annotated[list[Stop], Meta(max_length=MAX_STOPS)]
Tokens = list[int]
Object = dict[str, Any]  # Any: JSON that is not looked into here


class EngineRequest(Struct, kw_only=True):
    """What every request has."""

    model: str | None = None

    def check(self) -> None:
        """Look at what no field can tell alone.

        Raises:
            InvalidRequest: the fields do not fit together.
        """


class StreamOptions(Struct, kw_only=True):
    """`stream_options`."""

    include_usage: bool | None = None


class SampledRequest(EngineRequest, kw_only=True):
    """What chat and plain completions share."""

    stream: bool | None = None
    stream_options: StreamOptions | None = None
    temperature: Temperature | None = None
    top_p: Fraction | None = None
    n: Choices | None = None
    stop: Stops | None = None
    seed: int | None = None
    presence_penalty: Penalty | None = None
    frequency_penalty: Penalty | None = None
    logit_bias: dict[str, Bias] | None = None
    user: str | None = None

    @property
    def wants_usage(self) -> bool:
        """Whether a stream shall end with a chunk that says how many tokens it took."""
        return bool(self.stream_options and self.stream_options.include_usage)


class CompletionRequest(SampledRequest, kw_only=True):
    """`/v1/completions`."""

    prompt: str | Annotated[list[str | int | Tokens], Meta(min_length=1, max_length=MAX_INPUTS)]
    max_tokens: NonNegative | None = None
    logprobs: Annotated[int, Meta(ge=0, le=5)] | None = None
    echo: bool | None = None
    best_of: Choices | None = None
    suffix: str | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        if self.suffix:
            raise UnsupportedInput(
                "`suffix` is not supported: models here write what comes after a prompt, not what "
                "stands between two texts. Leave it out.",
                param="suffix",
            )
        if self.best_of is not None and self.best_of != (self.n or 1):
            raise UnsupportedInput(
                f"`best_of` is {self.best_of} and `n` is {self.n or 1}: choosing among more answers "
                "than are returned is not supported. Ask for all with `n`, and choose.",
                param="best_of",
            )
        if self.echo and self.logprobs is not None:
            raise UnsupportedInput(
                "`echo` and `logprobs` together ask how likely the prompt is, which the engine "
                "does not tell. Leave one of them out.",
                param="logprobs",
            )
        if isinstance(self.prompt, list) and len({type(item) for item in self.prompt}) > 1:
            raise InvalidRequest(
                "`prompt` mixes texts, tokens and lists of tokens. Give one text, one list of "
                "tokens, or several of one kind.",
                param="prompt",
            )
        if len(self.prompts()) * (self.n or 1) > MAX_CHOICES:
            raise InvalidRequest(
                f"{len(self.prompts())} prompts with {self.n or 1} answers each are more than the "
                f"{MAX_CHOICES} answers that one request may ask for. Send several requests.",
                param="prompt",
            )

    def prompts(self) -> list[str | Tokens]:
        """Each prompt by itself: a text or a list of tokens."""
        if isinstance(self.prompt, str):
            return [self.prompt]
        tokens = [item for item in self.prompt if isinstance(item, int)]
        return [tokens] if tokens else [item for item in self.prompt if not isinstance(item, int)]


class EmbeddingRequest(EngineRequest, kw_only=True):
    """`/v1/embeddings`."""

    input: str | Annotated[list[str | int | Tokens], Meta(min_length=1, max_length=MAX_INPUTS)]
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: AtLeastOne | None = None

    def check(self) -> None:
        """See `EngineRequest`."""
        if self.dimensions is not None:
            raise UnsupportedInput(
                f"`dimensions` is {self.dimensions}: embeddings of models here have one length, "
                "and a shortened one is worth little unless the model was trained for it. Leave it "
                "out.",
                param="dimensions",
            )


class RerankRequest(EngineRequest, kw_only=True):
    """`/v1/rerank`, in Jina's form, which Cohere's is like."""

    query: str
    documents: Annotated[list[str | Object], Meta(min_length=1, max_length=MAX_INPUTS)]
    top_n: AtLeastOne | None = None


class TextRequest(EngineRequest, kw_only=True):
    """`/v1/tokenize`."""

    content: str


class TokensRequest(EngineRequest, kw_only=True):
    """`/v1/detokenize`."""

    tokens: Tokens
