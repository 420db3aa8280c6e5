"""Writes the trained parts as a Stable Diffusion pipeline that OpenVINO GenAI loads.

    python export.py [FOLDER]

What a general pipeline does with latents and prompts is kept; what this model does its own way is
inside the graphs:

- The pipeline makes noise of an eighth of the picture's size, however large that is, and the
  denoiser looks at 16 latents along the short side. So its graph picks that many, evenly, and
  gives its answer for each to all the latents around it. With the DDIM scheduler, which ends on
  the predicted latents, every group has become equal when the decoder picks one of each again.
- The decoder stretches its features to the size asked for, so a picture of 1024 pixels costs no
  more thought than one of 256, and is as sharp.
- Weights are stored as 8-bit integers with a scale for each row, unfolded when the model loads.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
import openvino as ov
import torch
from autoencoder import CELL, CHANNELS, FEATURES_A_CELL, GRID, Decoder, Encoder
from captions import SLOTS
from denoiser import PATCH, STEPS, Denoiser
from openvino import opset13 as ops
from openvino_tokenizers import convert_tokenizer
from reader import CLASSES, TOKENS, Reader, probabilities
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional
from train_denoiser import BUILD, OFFSET
from transformers import PreTrainedTokenizerFast

SHIPPED = Path(__file__).parents[2] / "src/ingle/models/demo/image"
FACTOR = 8  # pixels a latent of the pipeline, as in Stable Diffusion
SHARPNESS = 1.5  # of the reader's probabilities


def _grid(height: Tensor, width: Tensor) -> tuple[Tensor, Tensor]:
    """Rows and columns of the denoiser's own grid, for any height and width."""
    short, half = torch.minimum(height, width), GRID // PATCH
    rows = (half * height + short // 2) // short * PATCH
    columns = (half * width + short // 2) // short * PATCH
    return rows, columns


def _picked(count: Tensor, total: Tensor) -> Tensor:
    """Which of `total` stand for `count` groups: the middle of each."""
    return ((2 * torch.arange(count) + 1) * total) // (2 * count)


def _groups(count: Tensor, total: Tensor) -> Tensor:
    """To which of `count` groups each of `total` belongs."""
    return torch.arange(total) * count // total


def pick(latents: Tensor) -> Tensor:
    shape = torch._shape_as_tensor(latents)
    rows, columns = _grid(shape[2], shape[3])
    return latents.index_select(2, _picked(rows, shape[2])).index_select(
        3, _picked(columns, shape[3])
    )


def spread_out(grid: Tensor, height: Tensor, width: Tensor) -> Tensor:
    shape = torch._shape_as_tensor(grid)
    return grid.index_select(2, _groups(shape[2], height)).index_select(3, _groups(shape[3], width))


class TextEncoder(nn.Module):
    def __init__(self, reader: Reader) -> None:
        super().__init__()
        self.reader = reader

    def forward(self, input_ids: Tensor) -> Tensor:
        return probabilities(self.reader(input_ids), SHARPNESS)


class Unet(nn.Module):
    def __init__(self, denoiser: Denoiser) -> None:
        super().__init__()
        self.denoiser = denoiser

    def forward(self, sample: Tensor, timestep: Tensor, encoder_hidden_states: Tensor) -> Tensor:
        shape = torch._shape_as_tensor(sample)
        clean = self.denoiser(pick(sample), timestep.expand(shape[0]), encoder_hidden_states)
        return spread_out(clean, shape[2], shape[3])


class VaeDecoder(nn.Module):
    def __init__(self, decoder: Decoder) -> None:
        super().__init__()
        self.decoder = decoder

    def forward(self, latent_sample: Tensor) -> Tensor:
        shape = torch._shape_as_tensor(latent_sample)
        features = self.decoder.features(pick(latent_sample))
        size = (
            (int(latent_sample.shape[2] * FACTOR), int(latent_sample.shape[3] * FACTOR))
            if not torch.jit.is_tracing()
            else (latent_sample.shape[2] * FACTOR, latent_sample.shape[3] * FACTOR)
        )
        stretched = functional.interpolate(
            features, size=size, mode="bilinear", align_corners=False
        )
        rows, _ = _grid(shape[2], shape[3])
        return self.decoder.colours(
            stretched, shape[2] * float(FACTOR) / (rows * float(FEATURES_A_CELL))
        )


class VaeEncoder(nn.Module):
    def __init__(self, encoder: Encoder) -> None:
        super().__init__()
        self.encoder = encoder

    def forward(self, sample: Tensor) -> Tensor:
        shape = torch._shape_as_tensor(sample)
        rows, columns = _grid(shape[2], shape[3])
        small = functional.adaptive_avg_pool2d(sample, (rows * CELL, columns * CELL))  # type: ignore[arg-type]
        grid = self.encoder(small)
        return spread_out(grid, shape[2] // FACTOR, shape[3] // FACTOR)


def in_eight_bits(model: ov.Model) -> ov.Model:
    """The same graph with its large constants as int8, a scale for each output row."""
    for node in model.get_ops():
        if node.get_type_name() != "Constant" or node.get_element_type() not in (
            ov.Type.f32,
            ov.Type.f16,
        ):
            continue
        values = node.data.astype(np.float32)
        if values.size < 2048 or values.ndim < 2:
            continue
        # A matrix multiplied from the right keeps its outputs in the last axis when not transposed.
        targets = list(node.output(0).get_target_inputs())
        user = targets[0].get_node()
        last = user.get_type_name() == "MatMul" and not user.get_attributes().get(
            "transpose_b", False
        )
        axes = tuple(range(values.ndim - 1)) if last else tuple(range(1, values.ndim))
        scale = np.maximum(np.abs(values).max(axis=axes, keepdims=True) / 127, 1e-8).astype(
            np.float32
        )
        whole = np.clip(np.round(values / scale), -127, 127).astype(np.int8)
        unfolded = ops.multiply(
            ops.convert(ops.constant(whole, dtype=np.int8), "f32"), ops.constant(scale)
        )
        for target in targets:
            target.replace_source_output(unfolded.output(0))
    model.validate_nodes_and_infer_types()
    return model


def save(
    module: nn.Module,
    folder: Path,
    example: dict[str, Tensor],
    shapes: dict[str, list[int]],
    output: str,
    config: dict[str, object],
) -> None:
    module.eval()
    with torch.no_grad():
        traced = torch.jit.trace(module, example_kwarg_inputs=example, check_trace=False)
    model = ov.convert_model(
        traced,
        example_input=example,
        input=[(name, ov.PartialShape(shape)) for name, shape in shapes.items()],
    )
    for port, name in zip(model.inputs, example, strict=True):
        port.get_tensor().set_names({name})
    model.outputs[0].get_tensor().set_names({output})
    folder.mkdir(parents=True, exist_ok=True)
    ov.save_model(in_eight_bits(model), folder / "openvino_model.xml", compress_to_fp16=True)
    (folder / "config.json").write_text(json.dumps(config, indent=2) + "\n")


def export(folder: Path, *, trained: bool = True) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    tokenizer = Tokenizer.from_file(str(BUILD / "tokenizer.json"))
    reader, denoiser = Reader(tokenizer.get_vocab_size()), Denoiser()
    decoder = Decoder()
    if trained:
        for part, name in ((reader, "reader"), (denoiser, "denoiser"), (decoder, "decoder")):
            part.load_state_dict(torch.load(BUILD / f"{name}.pt", weights_only=True))
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="[PAD]",
        unk_token="[UNK]",
        cls_token="[CLS]",
        model_max_length=TOKENS,
    )
    (folder / "tokenizer").mkdir()
    converted = convert_tokenizer(
        wrapped, with_detokenizer=False, number_of_inputs=1, max_length=TOKENS
    )
    ov.save_model(converted, folder / "tokenizer/openvino_tokenizer.xml")
    (folder / "tokenizer/tokenizer_config.json").write_text(
        json.dumps(
            {"pad_token": "[PAD]", "unk_token": "[UNK]", "model_max_length": TOKENS}, indent=2
        )
        + "\n"
    )
    (folder / "tokenizer/special_tokens_map.json").write_text(
        json.dumps({"pad_token": "[PAD]", "unk_token": "[UNK]"}, indent=2) + "\n"
    )

    save(
        TextEncoder(reader),
        folder / "text_encoder",
        {"input_ids": torch.ones(2, TOKENS, dtype=torch.long)},
        {"input_ids": [-1, TOKENS]},
        "last_hidden_state",
        {
            "_class_name": "CLIPTextModel",
            "max_position_embeddings": TOKENS,
            "num_hidden_layers": 3,
            "hidden_size": CLASSES,
        },
    )
    save(
        Unet(denoiser),
        folder / "unet",
        {
            "sample": torch.randn(2, CHANNELS, 48, 32),
            "timestep": torch.tensor([500]),
            "encoder_hidden_states": torch.rand(2, SLOTS, CLASSES),
        },
        {
            "sample": [-1, CHANNELS, -1, -1],
            "timestep": [1],
            "encoder_hidden_states": [-1, SLOTS, CLASSES],
        },
        "out_sample",
        {
            "_class_name": "UNet2DConditionModel",
            "in_channels": CHANNELS,
            "out_channels": CHANNELS,
            "sample_size": 32,
            "cross_attention_dim": CLASSES,
        },
    )
    vae = {
        "_class_name": "AutoencoderKL",
        "in_channels": 3,
        "out_channels": 3,
        "latent_channels": CHANNELS,
        "block_out_channels": [1, 1, 1, 1],
        "scaling_factor": 1.0,
    }
    save(
        VaeDecoder(decoder),
        folder / "vae_decoder",
        {"latent_sample": torch.randn(1, CHANNELS, 48, 32)},
        {"latent_sample": [-1, CHANNELS, -1, -1]},
        "sample",
        vae,
    )
    save(
        VaeEncoder(Encoder()),
        folder / "vae_encoder",
        {"sample": torch.randn(1, 3, 384, 256)},
        {"sample": [-1, 3, -1, -1]},
        "latent_sample",
        vae,
    )

    (folder / "scheduler").mkdir()
    scheduler = {
        "_class_name": "DDIMScheduler",
        "num_train_timesteps": STEPS,
        "beta_schedule": "scaled_linear",
        "beta_start": 0.00085,
        "beta_end": 0.012,
        "rescale_betas_zero_snr": True,
        "prediction_type": "sample",
        "timestep_spacing": "leading",
        "clip_sample": False,
        "set_alpha_to_one": True,
        "steps_offset": OFFSET,
    }
    (folder / "scheduler/scheduler_config.json").write_text(json.dumps(scheduler, indent=2) + "\n")
    index = {
        "_class_name": "StableDiffusionPipeline",
        "_diffusers_version": "0.30.0",
        "scheduler": ["diffusers", "DDIMScheduler"],
        "text_encoder": ["transformers", "CLIPTextModel"],
        "tokenizer": ["transformers", "CLIPTokenizer"],
        "unet": ["diffusers", "UNet2DConditionModel"],
        "vae": ["diffusers", "AutoencoderKL"],
    }
    (folder / "model_index.json").write_text(json.dumps(index, indent=2) + "\n")
    # What Ingle's image engine draws with when a request does not say.
    (folder / "generation_config.json").write_text(
        json.dumps(
            {"num_inference_steps": 16, "guidance_scale": 4.0, "height": 256, "width": 256},
            indent=2,
        )
        + "\n"
    )
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    print(f"{folder}: {size / 1e6:.2f} MB")


if __name__ == "__main__":
    export(
        Path(sys.argv[1]) if len(sys.argv) > 1 else SHIPPED, trained="--untrained" not in sys.argv
    )
