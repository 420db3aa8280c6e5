"""What the child for text is told to run: an `Order`, and llama.cpp's parameters for it.

Only `llama_parameters` needs xllamacpp, and only the child calls it; it is imported there.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from xllamacpp import CommonParams

__all__ = ["Mode", "Order", "llama_parameters"]

Mode = Literal["generate", "embed", "rerank"]

_WARNINGS = 2  # llama.cpp's verbosity: at 3 it logs seven lines a request
_CONNECTIONS = 256
"""Threads that read requests. A kept-alive connection holds one for 5 s after its last answer, and
with llama.cpp's default, slots + 4, half of 16 callers at once wait those 5 s for their turn. They
cost 1.3 MB together."""
_MEAN_POOLING_BATCH = 512  # llama.cpp's own n_ubatch
_ALL_LAYERS = -2  # llama.cpp's number for it; -1 is as many as fit

_SAMPLING = {
    # A default parameter: its field of `CommonParams.sampling`, and the bit that says that it was
    # chosen, so that the model's file (`general.sampling.*`) does not choose another.
    "temperature": ("temp", "TEMP"),
    "top_p": ("top_p", "TOP_P"),
    "top_k": ("top_k", "TOP_K"),
    "min_p": ("min_p", "MIN_P"),
    "typical_p": ("typ_p", None),
    "repeat_penalty": ("penalty_repeat", "PENALTY_REPEAT"),
    "repeat_last_n": ("penalty_last_n", "PENALTY_LAST_N"),
    "presence_penalty": ("penalty_present", None),
    "frequency_penalty": ("penalty_freq", None),
    "seed": ("seed", None),
}


@dataclass(frozen=True, slots=True)
class Order:
    """What to run. `context_tokens` is for each of the `slots`; sizes are in bytes.

    `library` is the folder of a build of xllamacpp to import in place of the installed one. What
    is None or empty is llama.cpp's choice, or the model's own file's. `parameters` are those
    of `ingle.models.parameters`, `lora` paths with their scales.
    """

    model: str
    name: str
    mode: Mode
    pooling: str | None
    context_tokens: int
    slots: int
    cache_bytes: int
    maps_file: bool = True
    library: str | None = None
    threads: int | None = None
    chat_template: str | None = None
    chat_template_arguments: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    reasoning_format: str | None = None
    reasoning_tokens: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)  # Any: JSON values
    gpu_layers: int | None = None
    cache_type_k: str | None = None
    cache_type_v: str | None = None
    flash_attention: bool | None = None
    batch_tokens: int | None = None
    rope_scaling: str | None = None
    rope_frequency_base: float | None = None
    rope_frequency_scale: float | None = None
    projector: str | None = None
    draft: str | None = None
    draft_tokens: int | None = None
    lora: tuple[tuple[str, float], ...] = ()
    key: str = ""

    def as_json(self) -> dict[str, Any]:  # Any: JSON values
        """What the parent sends, to which it adds the key."""
        return asdict(self)


def llama_parameters(order: Order) -> CommonParams:
    """llama.cpp's parameters for an order; what it could do for strangers is off."""
    from xllamacpp import CommonParams, llama_load_mode

    parameters = CommonParams()
    parameters.model.path = order.model
    parameters.model_alias = {order.name}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.api_keys = [order.key]
    parameters.cors_origins = ""
    parameters.cors_credentials = False
    parameters.ui = False
    parameters.endpoint_metrics = True
    parameters.endpoint_slots = True
    parameters.verbosity = _WARNINGS
    parameters.n_threads_http = _CONNECTIONS
    parameters.n_parallel = order.slots
    parameters.n_ctx = order.context_tokens * order.slots
    # With one cache for all slots, each token also attends to what other slots keep: with 16 slots
    # a single caller got half the tokens a second (a prompt of 500 tokens in each).
    parameters.kv_unified = False
    parameters.cache_ram_mib = max(1, order.cache_bytes // 2**20)
    if not order.maps_file:
        parameters.load_mode = llama_load_mode.LLAMA_LOAD_MODE_NONE
    if order.threads is not None:
        parameters.cpuparams.n_threads = order.threads
        parameters.cpuparams_batch.n_threads = order.threads
    _set_mode(parameters, order)
    _set_template(parameters, order)
    _set_defaults(parameters, order.parameters)
    _set_network(parameters, order)
    _set_parts(parameters, order)
    return parameters


def _set_mode(parameters: CommonParams, order: Order) -> None:
    """Make the server give embeddings or scores.

    A model that writes gives embeddings too, in the same process at no cost: the mean of its
    tokens' vectors, of at most 512 tokens, as such a text has to go through in one batch. (The
    last token's vector has no such limit, but in a model not trained for it says little of the
    whole text.)
    """
    from xllamacpp import llama_pooling_type

    parameters.embedding = True
    pooling = "rank" if order.mode == "rerank" else order.pooling
    if pooling in (None, "none"):
        pooling = "mean"
    parameters.pooling_type = llama_pooling_type[f"LLAMA_POOLING_TYPE_{pooling.upper()}"]
    batch = _MEAN_POOLING_BATCH if order.mode == "generate" else order.context_tokens
    parameters.n_batch = parameters.n_ubatch = order.batch_tokens or batch


def _set_template(parameters: CommonParams, order: Order) -> None:
    from xllamacpp import common_reasoning_format

    if order.chat_template is not None:
        parameters.chat_template = order.chat_template
    parameters.default_template_kwargs = {
        name: json.dumps(value) for name, value in order.chat_template_arguments.items()
    }
    if order.reasoning_format is not None:
        name = order.reasoning_format.upper().replace("-", "_")
        parameters.reasoning_format = common_reasoning_format[f"COMMON_REASONING_FORMAT_{name}"]
    if order.reasoning_tokens is not None:
        parameters.sampling.reasoning_budget_tokens = order.reasoning_tokens
        parameters.enable_reasoning = int(order.reasoning_tokens > 0)


def _set_defaults(parameters: CommonParams, told: Mapping[str, Any]) -> None:
    """What holds for a request that does not say otherwise. The system prompt is not set here."""
    from xllamacpp import common_params_sampling_config as config

    for name, (field_name, bit) in _SAMPLING.items():
        if name not in told:
            continue
        setattr(parameters.sampling, field_name, told[name])
        if bit is not None:
            parameters.sampling.user_sampling_config |= config[
                f"COMMON_PARAMS_SAMPLING_CONFIG_{bit}"
            ].value
    if "max_tokens" in told:
        parameters.n_predict = told["max_tokens"]
    if "stop" in told:
        parameters.antiprompt = list(told["stop"])


def _set_network(parameters: CommonParams, order: Order) -> None:
    """Where the network's layers are, how it keeps keys and values, and how far it sees."""
    from xllamacpp import ggml_type, llama_flash_attn_type, llama_rope_scaling_type

    if order.gpu_layers is not None:
        parameters.n_gpu_layers = _ALL_LAYERS if order.gpu_layers < 0 else order.gpu_layers
    if order.cache_type_k is not None:
        parameters.cache_type_k = ggml_type[f"GGML_TYPE_{order.cache_type_k.upper()}"]
    if order.cache_type_v is not None:
        parameters.cache_type_v = ggml_type[f"GGML_TYPE_{order.cache_type_v.upper()}"]
    if order.flash_attention is not None:
        parameters.flash_attn_type = (
            llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_ENABLED
            if order.flash_attention
            else llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        )
    if order.rope_scaling is not None:
        parameters.rope_scaling_type = llama_rope_scaling_type[
            f"LLAMA_ROPE_SCALING_TYPE_{order.rope_scaling.upper()}"
        ]
    if order.rope_frequency_base is not None:
        parameters.rope_freq_base = order.rope_frequency_base
    if order.rope_frequency_scale is not None:
        parameters.rope_freq_scale = order.rope_frequency_scale


def _set_parts(parameters: CommonParams, order: Order) -> None:
    from xllamacpp import CommonAdapterLoraInfo, common_speculative_type

    if order.projector is not None:
        parameters.mmproj.path = order.projector
    parameters.lora_adapters = [CommonAdapterLoraInfo(path, scale) for path, scale in order.lora]
    if order.draft is None:
        return
    draft = parameters.speculative.draft
    draft.mparams.path = order.draft
    parameters.speculative.types = [common_speculative_type.COMMON_SPECULATIVE_TYPE_DRAFT_SIMPLE]
    if order.draft_tokens is not None:
        draft.n_max = order.draft_tokens
    if order.gpu_layers is not None:
        draft.n_gpu_layers = parameters.n_gpu_layers
    if order.threads is not None:
        draft.cpuparams.n_threads = order.threads
        draft.cpuparams_batch.n_threads = order.threads
