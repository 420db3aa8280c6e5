"""Which of a repository's GGUF files to take: grouped, named by their quantisation, fitted to memory.

It knows names and sizes only; nothing is read or asked.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby

from ingle.errors import InvalidRequest, ModelTooLarge

__all__ = ["Choice", "Listed", "Variant", "choose", "gigabytes", "projector", "variants"]

_QUANT = re.compile(
    r"(?:^|[-._/])((?:UD-)?(?:I?Q[1-8]_(?:K_X?[SML]|K_XL|K|[01]|XXS|XS|NL|S|M|L)(?:_XL|_L)?|"
    r"TQ[12]_0|MXFP4(?:_MOE)?|NVFP4|BF16|F16|FP16|F32|FP32))(?=$|[-._/])",
    re.IGNORECASE,
)
_SPLIT = re.compile(r"(?P<stem>.+)-(?P<number>\d{5})-of-(?P<count>\d{5})\.gguf", re.IGNORECASE)

# From best to worst. Bits a weight and perplexities: llama.cpp, tools/quantize/README.md. What is
# missing here (Q4_0_4_8, 1-bit ones) is taken only if it is asked for by name.
_GOOD_TO_BAD = (
    "Q8_0", "Q6_K_L", "Q6_K", "Q5_K_L", "Q5_K_M", "Q5_K_S", "Q5_1", "Q5_0", "Q4_K_L",
    "Q4_K_M", "MXFP4", "MXFP4_MOE", "Q4_K_S", "IQ4_NL", "Q4_1", "IQ4_XS", "Q4_0", "Q3_K_XL",
    "Q3_K_L", "IQ3_M", "Q3_K_M", "IQ3_S", "IQ3_XS", "Q3_K_S", "IQ3_XXS", "Q2_K_L", "Q2_K",
    "IQ2_M", "IQ2_S", "IQ2_XS", "IQ2_XXS",
)  # fmt: skip
_RANK = {name: rank for rank, name in enumerate(_GOOD_TO_BAD)}
_BALANCED = _RANK["Q4_K_M"]
_PLAIN = frozenset({"F16", "BF16", "FP16"})
_PLAIN_RANK = len(_RANK)  # whole weights are the last resort: twice Q8_0 for no gain to see
_GENEROUS_SHARE = 1 / 3  # of what engines may use: about a quarter of the machine's memory
_CONTEXT_SHARE = 0.12  # of the weights: cache and buffers at a few thousand tokens, by experience
_CONTEXT_BYTES = 512 * 1024**2


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a repository, as far as a choice needs it."""

    name: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Variant:
    """The file, or the parts of a split one in order, that together are the model once.

    `quant` is upper case such as `Q4_K_M`; empty if the name tells none.
    """

    quant: str
    files: tuple[Listed, ...]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)

    @property
    def needed_bytes(self) -> int:
        """About how much memory it takes when it runs with a context of a few thousand tokens."""
        return int(self.size_bytes * (1 + _CONTEXT_SHARE)) + _CONTEXT_BYTES

    @property
    def label(self) -> str:
        return self.quant or self.files[0].name


@dataclass(frozen=True, slots=True)
class Choice:
    """What was chosen, and why in one sentence."""

    variant: Variant
    why: str


def variants(files: Iterable[Listed]) -> list[Variant]:
    """The models among the files, in the order of their names.

    Projectors for images, importance matrices and split files of which a part is missing are none.
    """
    ggufs = sorted(
        (file for file in files if _is_weights(file.name)), key=lambda file: file.name.lower()
    )
    found = []
    for stem, group in groupby(ggufs, key=lambda file: _stem(file.name)):
        parts = tuple(group)
        if _is_whole(parts):
            found.append(Variant(_quant(stem), parts))
    return found


def projector(files: Iterable[Listed]) -> Listed | None:
    """The file that lets the model see images, if there is one: F16 if there is a choice."""
    found = [file for file in files if _is_projector(file.name)]
    order = {"F16": 0, "BF16": 1, "Q8_0": 2}
    return min(found, key=lambda file: (order.get(_quant(file.name), 3), file.name), default=None)


def choose(found: list[Variant], wanted: str | None, memory_bytes: int | None) -> Choice:
    """The variant to take.

    `wanted`, a quantisation or a file's name, is honoured whatever its size. Else the best that
    takes at most a third of `memory_bytes`, which is what all engines may use, so that others fit
    beside it. If that would be worse than Q4_K_M, the usual balance: Q4_K_M if it fits at all, and
    else the best below it that fits.

    Raises:
        InvalidRequest: what is wanted is not there, or there is no telling which is best.
        ModelTooLarge: none fits.
    """
    if wanted is not None:
        return _named(found, wanted)
    if len(found) > 1 and (ranked := [v for v in found if _rank(v) is not None]):
        return _fitted(ranked, memory_bytes)
    if len(found) > 1:
        raise InvalidRequest(
            "Which of its files is meant cannot be told from their names: "
            f"{_labels(found)}. Add one's name after a colon.",
            param="source",
        )
    return _fitted(found, memory_bytes)


def gigabytes(size_bytes: int) -> str:
    """A size for people: `4.7 GB`, `640 MB`."""
    if size_bytes < 999_500_000:
        return f"{size_bytes / 1e6:.0f} MB" if size_bytes >= 10e6 else f"{size_bytes / 1e6:.1f} MB"
    return f"{size_bytes / 1e9:.1f} GB"


def _named(found: list[Variant], wanted: str) -> Choice:
    text = wanted.lower()
    same = [v for v in found if v.quant.lower() == text] or [
        v
        for v in found
        if v.quant.lower().removeprefix("ud-") == text
        or any(
            text in (file.name.lower(), file.name.lower().rpartition("/")[2]) for file in v.files
        )
    ]
    if not same:
        raise InvalidRequest(
            f"There is no {wanted!r} among its files. There are: {_labels(found)}.", param="source"
        )
    if len({_stem_of(v) for v in same}) > 1:
        names = ", ".join(v.files[0].name for v in same)
        raise InvalidRequest(
            f"{wanted!r} fits several files: {names}. Name one of them.", param="source"
        )
    chosen = min(same, key=lambda v: len(v.files))  # some publish a file whole and split
    return Choice(chosen, f"{chosen.label}, {gigabytes(chosen.size_bytes)}: as asked for.")


def _stem_of(variant: Variant) -> str:
    return _stem(variant.files[0].name).lower().removesuffix(".gguf")


def _fitted(found: list[Variant], memory_bytes: int | None) -> Choice:
    best_first = sorted(found, key=_preference)
    if memory_bytes is None:
        usual = [v for v in best_first if _is_at_most_balanced(v)]
        chosen = (usual or best_first)[0]
        return Choice(chosen, f"{_size(chosen)}: the usual balance of quality and size.")
    machine = f"the {gigabytes(memory_bytes)} that engines may use here"
    fitting = [v for v in best_first if v.needed_bytes <= memory_bytes]
    if not fitting:
        smallest = min(found, key=lambda v: v.size_bytes)
        raise ModelTooLarge(
            f"Even {_size(smallest)}, needs about {gigabytes(smallest.needed_bytes)} with its "
            f"context, more than {machine}. Pull a smaller model; or name a quantisation after a "
            "colon to fetch it anyway."
        )
    chosen, reason = _best(fitting, memory_bytes)
    if len(found) == 1:
        reason = "the only one there is"
    left = gigabytes(memory_bytes - chosen.needed_bytes)
    return Choice(
        chosen, f"{_size(chosen)}: {reason}. With its context it leaves {left} of {machine}."
    )


def _best(fitting: list[Variant], memory_bytes: int) -> tuple[Variant, str]:
    """The variant to take of those that fit, the best first, and why."""
    generous = [v for v in fitting if v.needed_bytes <= memory_bytes * _GENEROUS_SHARE]
    if generous and not _is_at_most_balanced(generous[0]):
        return generous[0], "the best that takes less than a third of the memory"
    balanced = [v for v in fitting if _is_at_most_balanced(v)]
    if not balanced:
        return min(fitting, key=lambda v: v.size_bytes), "the smallest there is"
    if _rank(balanced[0]) == _BALANCED:
        return balanced[0], "the usual balance of quality and size"
    return balanced[0], "the best up to the usual Q4_K_M that is there and fits"


def _size(variant: Variant) -> str:
    return f"{variant.label}, {gigabytes(variant.size_bytes)}"


def _labels(found: list[Variant]) -> str:
    return ", ".join(_size(v).replace(", ", " (") + ")" for v in found) or "no GGUF files"


def _preference(variant: Variant) -> tuple[int, int, int]:
    rank = _rank(variant)
    return (_PLAIN_RANK + 1 if rank is None else rank, len(variant.files), -variant.size_bytes)


def _is_at_most_balanced(variant: Variant) -> bool:
    rank = _rank(variant)
    return rank is not None and _BALANCED <= rank < _PLAIN_RANK


def _rank(variant: Variant) -> int | None:
    """The place in the order of quality; None for what is not taken without being asked for."""
    plain = variant.quant.removeprefix("UD-").replace("_K_XL", "_K_L")
    if plain in _PLAIN:
        return _PLAIN_RANK
    return _RANK.get(plain)


def _quant(name: str) -> str:
    found = _QUANT.findall(name.removesuffix(".gguf").removesuffix(".GGUF"))
    return found[-1].upper() if found else ""


def _stem(name: str) -> str:
    split = _SPLIT.fullmatch(name)
    return split["stem"] if split else name


def _is_whole(parts: tuple[Listed, ...]) -> bool:
    splits = [_SPLIT.fullmatch(part.name) for part in parts]
    if splits[0] is None:
        return len(parts) == 1
    numbers = [int(split["number"]) for split in splits if split]
    return numbers == list(range(1, int(splits[0]["count"]) + 1))


def _is_weights(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gguf") and "imatrix" not in lower and not _is_projector(name)


def _is_projector(name: str) -> bool:
    lower = name.lower()
    return lower.endswith(".gguf") and "mmproj" in lower.rpartition("/")[2]
