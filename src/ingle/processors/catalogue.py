"""All processors by slug, and running one by its slug with plain values."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ingle.errors import ProcessorNotFound
from ingle.processors.audio_transcriptions import AUDIO_TRANSCRIPTIONS
from ingle.processors.audio_translations import AUDIO_TRANSLATIONS
from ingle.processors.base import Configuration, Input, Output, Processor
from ingle.processors.chat_completions import CHAT_COMPLETIONS
from ingle.processors.chat_vision import CHAT_VISION
from ingle.processors.completions import COMPLETIONS
from ingle.processors.embeddings import EMBEDDINGS
from ingle.processors.http_request import HTTP_REQUEST
from ingle.processors.image_generations import IMAGE_GENERATIONS
from ingle.processors.images_edit import IMAGES_EDIT
from ingle.processors.images_variations import IMAGES_VARIATIONS
from ingle.processors.json_extract import JSON_EXTRACT
from ingle.processors.pieces import Piece
from ingle.processors.rerank import RERANK
from ingle.processors.template import TEMPLATE
from ingle.processors.text_from_file import TEXT_FROM_FILE
from ingle.processors.text_split import TEXT_SPLIT
from ingle.processors.text_to_speech import TEXT_TO_SPEECH
from ingle.processors.validation import validated

if TYPE_CHECKING:  # to list the processors takes neither an HTTP client nor a database
    from ingle.routing import Router

__all__ = ["PROCESSORS", "AnyProcessor", "get_processor", "run_processor"]

# Any: each processor has types of its own; `run_processor` makes values of just these.
AnyProcessor = Processor[Any, Any, Any]

_ALL: tuple[AnyProcessor, ...] = (
    CHAT_COMPLETIONS,
    CHAT_VISION,
    COMPLETIONS,
    IMAGE_GENERATIONS,
    IMAGES_EDIT,
    IMAGES_VARIATIONS,
    AUDIO_TRANSCRIPTIONS,
    AUDIO_TRANSLATIONS,
    TEXT_TO_SPEECH,
    EMBEDDINGS,
    RERANK,
    TEXT_FROM_FILE,
    HTTP_REQUEST,
    JSON_EXTRACT,
    TEXT_SPLIT,
    TEMPLATE,
)

PROCESSORS: Mapping[str, AnyProcessor] = MappingProxyType(
    {processor.slug: processor for processor in _ALL}
)
"""Every processor by its slug, `provider/processor`."""


def get_processor(slug: str) -> AnyProcessor:
    """The processor of this slug.

    Raises:
        ProcessorNotFound: there is none; lists those that there are.
    """
    if found := PROCESSORS.get(slug):
        return found
    near = get_close_matches(slug, PROCESSORS, n=1, cutoff=0.5)
    meant = f" Did you mean `{near[0]}`?" if near else ""
    raise ProcessorNotFound(
        f"There is no processor {slug!r}.{meant} There are: {', '.join(PROCESSORS)}."
    )


def run_processor(
    slug: str,
    input: Mapping[str, Any] | Input,  # noqa: A002
    config: Mapping[str, Any] | Configuration,
    router: Router,
) -> AsyncGenerator[Piece | Output, None]:
    """The pieces of a processor's output as they come, and last the whole output.

    Input and configuration are checked before this returns; nothing is asked of any server until
    the first piece is. Closing the generator stops the work.

    Raises:
        ProcessorNotFound: there is no such processor.
        InvalidRequest: a field is missing, unknown or wrong; `param` names it.
    """
    processor = get_processor(slug)
    typed_input = validated(processor.input, input, "input")
    configuration = validated(processor.configuration, config, "config")
    return processor.run(typed_input, configuration, router)
