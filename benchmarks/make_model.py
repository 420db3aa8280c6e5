"""Write a llama model with random weights, to measure engines with: its size is all that counts.

    python benchmarks/make_model.py /tmp/255m.gguf --width 1024 --layers 18 --feed-forward 2816

Ask it with `"ignore_eos": true`, or it stops wherever chance says so.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from ingle.models.gguf import read_header
from ingle.testing.tiny_model import ModelShape, write_model


def main() -> None:
    """Write the model and say how large it is."""
    default = ModelShape()
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("path", type=Path)
    parser.add_argument("--width", type=int, default=default.width)
    parser.add_argument("--layers", type=int, default=default.layers)
    parser.add_argument("--heads", type=int, default=default.heads)
    parser.add_argument("--kv-heads", type=int, default=default.kv_heads)
    parser.add_argument("--feed-forward", type=int, default=default.feed_forward)
    parser.add_argument("--context-tokens", type=int, default=default.context_tokens)
    parser.add_argument(
        "--weights", choices=("f32", "f16", "q8_0", "q4_0"), default=default.weights
    )
    arguments = vars(parser.parse_args())
    path = write_model(arguments.pop("path"), ModelShape(**arguments))
    parameters = read_header(path).parameters
    print(f"{path}: {parameters / 1e6:.1f}M parameters, {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
