"""Reading GGUF headers: what they say, and what becomes of damaged ones."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest

from ingle.errors import ModelFileInvalid
from ingle.models.gguf import read_header, shard_paths
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.testing.tiny_parts import write_adapter, write_projector


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "tiny.gguf")


def refusal(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    with pytest.raises(ModelFileInvalid) as caught:
        read_header(path)
    assert str(path) in caught.value.message
    return caught.value.message


def test_says_what_the_model_is(model: Path) -> None:
    """A whole file gives the numbers that a start and an estimate need."""
    header = read_header(model)

    assert header.architecture == "llama"
    assert header.name == "random weights"
    assert header.purpose == "generate"
    assert header.has_chat_template
    assert header.parameters == 107_200
    assert header.context_tokens == 32_768
    assert header.vocabulary == 259
    assert (header.width, header.feed_forward, header.layers) == (64, 128, 2)
    assert header.kv_heads == (2, 2)
    assert (header.key_width, header.value_width) == (16, 16)


def test_tells_what_kind_of_file_it_is(tmp_path: Path) -> None:
    """A model, what sees for one, and what changes one are told apart; a model tells how its
    weights are kept."""
    model = read_header(write_model(tmp_path / "a"))
    eyes = read_header(write_projector(tmp_path / "b"))
    adapter = read_header(write_adapter(tmp_path / "c"))

    assert [header.kind for header in (model, eyes, adapter)] == ["model", "projector", "adapter"]
    assert [header.has_eyes for header in (model, eyes, adapter)] == [False, True, False]
    assert (model.quantisation, adapter.quantisation) == ("Q8_0", None)


@pytest.mark.parametrize(
    ("pooling", "purpose"),
    [(0, "generate"), (1, "embed"), (2, "embed"), (3, "embed"), (4, "rerank")],
)
def test_tells_the_purpose_from_the_pooling(tmp_path: Path, pooling: int, purpose: str) -> None:
    """A model that says how it pools is for embeddings, and one that ranks is for reranking."""
    path = write_model(tmp_path / "model.gguf", extra={"llama.pooling_type": pooling})

    assert read_header(path).purpose == purpose


def test_tells_an_encoder_by_its_architecture(tmp_path: Path) -> None:
    """BERT and its kin give embeddings, whether or not they say how they pool."""
    path = write_model(tmp_path / "model.gguf", extra={"general.architecture": "nomic-bert"})

    assert read_header(path).purpose == "embed"


@pytest.mark.parametrize("kept", [0, 3, 4, 7, 23, 24, 200, 3_000])
def test_a_cut_header_is_refused(model: Path, kept: int) -> None:
    """Wherever the header is cut, the error says that the file is damaged."""
    message = refusal(model, model.read_bytes()[:kept])

    assert "no GGUF file" in message if kept < 4 else "cut short or damaged" in message


def test_every_cut_of_a_header_is_refused(tmp_path: Path) -> None:
    """No length of a cut header gets through or makes another error."""
    whole = write_model(tmp_path / "whole.gguf").read_bytes()
    path = tmp_path / "cut.gguf"
    for kept in range(0, 8_000, 97):
        refusal(path, whole[:kept])


def test_a_file_without_its_last_tensor_is_refused(model: Path) -> None:
    """A download that stopped is told by the tensors that lie beyond the end; both sizes named."""
    message = refusal(model, model.read_bytes()[:60_000])

    assert "cut short: its tensors need" in message
    assert "it has 60,000" in message


def test_another_format_is_refused(model: Path) -> None:
    """A file of another kind is named by how it starts."""
    assert "(it starts with b'PK\\x03\\x04')" in refusal(model, b"PK\x03\x04" + bytes(5_000))


@pytest.mark.parametrize(
    ("version", "words"), [(1, "version 1"), (9, "version 9"), (3 << 24, "big-endian")]
)
def test_other_versions_are_refused(model: Path, version: int, words: str) -> None:
    """Versions that llama.cpp does not read are told apart from damage."""
    content = model.read_bytes()

    assert words in refusal(model, content[:4] + struct.pack("<I", version) + content[8:])


@pytest.mark.parametrize(
    ("tensors", "entries"), [(2**63, 1), (1, 2**63), (2**64 - 1, 2**64 - 1), (2**40, 0)]
)
def test_huge_counts_take_no_memory(model: Path, tensors: int, entries: int) -> None:
    """Counts that the file has no bytes for are refused before anything is made of them."""
    content = model.read_bytes()
    counts = struct.pack("<QQ", tensors, entries)

    assert "cut short or damaged" in refusal(model, content[:8] + counts + content[24:])


def test_a_huge_array_takes_no_memory(model: Path) -> None:
    """An array or text that claims more bytes than there are is refused, not allocated."""
    key = struct.pack("<Q", 1) + b"a"
    preamble = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)

    for value in (
        struct.pack("<IIQ", 9, 4, 2**62),  # numbers
        struct.pack("<IIQ", 9, 8, 2**62),  # texts
        struct.pack("<IQ", 8, 2**62),  # one text
    ):
        assert "cut short or damaged" in refusal(model, preamble + key + value + bytes(100))


def test_unknown_and_nested_values_are_refused(model: Path) -> None:
    """A type of value that the format does not have is damage, as are arrays of arrays."""
    key = struct.pack("<Q", 1) + b"a"
    preamble = b"GGUF" + struct.pack("<IQQ", 3, 0, 1)

    assert "unknown type 77" in refusal(model, preamble + key + struct.pack("<IQ", 77, 0))
    nested = struct.pack("<IIQ", 9, 9, 1)
    assert "unknown type 9" in refusal(model, preamble + key + nested + bytes(100))


def test_a_header_without_an_architecture_is_refused(model: Path) -> None:
    """A GGUF that holds no model is not taken for one."""
    empty = b"GGUF" + struct.pack("<IQQ", 3, 0, 0) + bytes(8)

    assert "does not name the architecture" in refusal(model, empty)


def test_a_long_vocabulary_is_stepped_over(tmp_path: Path) -> None:
    """What comes after a vocabulary longer than one read is still found."""
    shape = ModelShape(width=32, heads=2, feed_forward=32, layers=1)
    path = write_model(tmp_path / "model.gguf", shape, extra={"a.text": "x" * 3_000_000, "z": 7})

    assert read_header(path).vocabulary == 259


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path) -> None:
    """A missing file says so, and a folder is no file."""
    with pytest.raises(ModelFileInvalid, match="is not there"):
        read_header(tmp_path / "none.gguf")
    with pytest.raises(ModelFileInvalid, match="cannot be read: Is a directory"):
        read_header(tmp_path)


def test_a_split_model_is_all_its_files() -> None:
    """The first part stands for all, and a later part for nothing."""
    assert shard_paths(Path("/m/a-00001-of-00002.gguf")) == (
        Path("/m/a-00001-of-00002.gguf"),
        Path("/m/a-00002-of-00002.gguf"),
    )
    assert shard_paths(Path("/m/a-00002-of-00002.gguf")) == ()
    assert shard_paths(Path("/m/a.gguf")) == (Path("/m/a.gguf"),)
