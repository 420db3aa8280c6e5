"""Writes the checkpoint as the GGUF file that ships with Ingle, weights in Q8_0.

python export.py [--output PATH]
"""

import argparse
from pathlib import Path

import gguf
import torch
from conversation import CHAT_TEMPLATE
from model import ModelShape
from tokenizer import CONTROL_TOKENS, END_OF_TEXT, MARKUP_TOKENS, MESSAGE_END, PRE_TOKENIZER
from tokenizers import Tokenizer

HERE = Path(__file__).parent
CHECKPOINT = HERE / "build" / "checkpoint.pt"
OUTPUT = HERE.parents[1] / "src" / "ingle" / "models" / "demo" / "chat.gguf"
DESCRIPTION = (
    "A very small chat model that ships with Ingle for a first answer, tests and demos. "
    "It knows a few topics and is often wrong outside them."
)


def add_metadata(writer: gguf.GGUFWriter, shape: ModelShape) -> None:
    """Who made it, its sizes, and how it is best sampled."""
    writer.add_name("Ingle demo")
    writer.add_author("The Ingle authors")
    writer.add_license("apache-2.0")
    writer.add_description(DESCRIPTION)
    writer.add_languages(["en"])
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.feed_forward)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.kv_heads)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_layer_norm_rms_eps(shape.norm_epsilon)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    # llama.cpp takes these as defaults where a request names none.
    writer.add_float32("general.sampling.temp", 0.3)
    writer.add_int32("general.sampling.top_k", 20)


def add_tokenizer(writer: gguf.GGUFWriter, tokenizer: Tokenizer) -> None:
    """The vocabulary and merges of `tokenizer`, and the chat template."""
    names = [tokenizer.id_to_token(number) for number in range(tokenizer.get_vocab_size())]
    kinds = dict.fromkeys(CONTROL_TOKENS, gguf.TokenType.CONTROL)
    kinds |= dict.fromkeys(MARKUP_TOKENS, gguf.TokenType.USER_DEFINED)
    merges = gguf.SpecialVocab(CHECKPOINT.parent, load_merges=True).merges
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre(PRE_TOKENIZER)
    writer.add_token_list(names)
    writer.add_token_types([kinds.get(name, gguf.TokenType.NORMAL) for name in names])
    writer.add_token_merges(merges)
    writer.add_bos_token_id(tokenizer.token_to_id(END_OF_TEXT))
    writer.add_eos_token_id(tokenizer.token_to_id(MESSAGE_END))
    writer.add_eot_token_id(tokenizer.token_to_id(MESSAGE_END))
    writer.add_add_bos_token(True)
    writer.add_chat_template(CHAT_TEMPLATE)


def add_weights(writer: gguf.GGUFWriter, weights: dict[str, torch.Tensor]) -> None:
    """Matrices as Q8_0, the norms' gains as float32; names are GGUF's already."""
    for name, weight in weights.items():
        values = weight.float().numpy()
        if values.ndim == 1:
            writer.add_tensor(name, values)
            continue
        kind = gguf.GGMLQuantizationType.Q8_0
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    saved = torch.load(CHECKPOINT)
    part = options.output.with_suffix(".part")
    writer = gguf.GGUFWriter(part, "llama")
    add_metadata(writer, ModelShape())
    add_tokenizer(writer, Tokenizer.from_file(str(CHECKPOINT.parent / "tokenizer.json")))
    add_weights(writer, saved["model"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    part.replace(options.output)
    print(f"{options.output}: {options.output.stat().st_size / 1e6:.2f} MB, step {saved['step']}")


if __name__ == "__main__":
    main()
