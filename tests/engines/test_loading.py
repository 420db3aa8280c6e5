"""How models are loaded: image models beside those of llama.cpp."""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import signal
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

import pytest

from ingle.engines.loading import how_to_load
from ingle.engines.media_fit import media_fit
from ingle.engines.memory import Memory
from ingle.engines.supervisor import Supervisor
from ingle.errors import EngineMissing, ModelFileInvalid, ModelTooLarge
from ingle.models.manifest import Model
from ingle.models.store import Models
from ingle.settings import load_settings

MIB = 2**20
InstallModel = Callable[..., Model]

has_library = importlib.util.find_spec("openvino_genai") is not None
has_demo = (files("ingle") / "models/demo/image/model_index.json").is_file()


@pytest.fixture
def painter(home: Path) -> Model:
    """A folder with all files of an OpenVINO pipeline, none of which OpenVINO can read."""
    folder = home / "models" / "painter"
    for part in ("unet", "vae_decoder"):
        (folder / part).mkdir(parents=True)
        (folder / part / "openvino_model.xml").write_text("<net/>")
        (folder / part / "openvino_model.bin").write_bytes(b"12345678")
    index = {"_class_name": "StableDiffusionPipeline", "unet": ["x", "y"], "vae": ["x", "y"]}
    (folder / "model_index.json").write_text(json.dumps(index))
    return Models(load_settings()).get("painter")


def test_each_model_gets_its_engine(install: InstallModel, painter: Model) -> None:
    """A GGUF file is run by llama.cpp, an image folder by the image engine, in as many threads."""
    settings = load_settings(overrides={"threads": 3})

    llama = how_to_load(install("m"), settings, limit=Memory(1000 * MIB)).launch
    image = how_to_load(painter, settings, limit=Memory(1000 * MIB)).launch

    assert llama.command[2:] == ("-m", "ingle.engines.llama", "m")
    assert image.command[2:] == ("-m", "ingle.engines.diffusion", "painter")
    assert image.order == {
        "model": str(painter.path),
        "name": "painter",
        "engine": "openvino",
        "threads": 3,
        "cache": str(settings.home / "cache/openvino"),
        "images": str(settings.home / "pictures"),
        "device": None,
        "scheduler": None,
        "steps": None,
        "guidance_scale": None,
        "width": None,
        "height": None,
    }
    assert llama.order["threads"] == 3


def test_an_image_model_needs_its_weights_and_room_to_draw(painter: Model) -> None:
    """Twice the weights, the process and a picture; what does not fit is refused with figures."""
    size = media_fit(painter, limit=Memory(1000 * MIB))

    assert size.memory.ram_bytes == 2 * 16 + (160 + 256) * MIB
    with pytest.raises(ModelTooLarge, match=r"needs about 416 MiB .* engines may take 400 MiB"):
        media_fit(painter, limit=Memory(400 * MIB))


@pytest.mark.skipif(has_library, reason="the extra `images` is installed")
async def test_a_missing_library_is_told_with_the_command_that_installs_it(
    supervisor: Supervisor, painter: Model
) -> None:
    """Without the extra, the first call to an image model says what to install."""
    with pytest.raises(EngineMissing, match=r"pip install 'ingle\[images\]'"):
        async with supervisor.lease(painter):
            pass


@pytest.mark.skipif(not has_library, reason="needs the extra `images`")
async def test_files_that_the_library_cannot_read_are_told(
    supervisor: Supervisor, painter: Model
) -> None:
    """A folder that only looks like a model does not start."""
    with pytest.raises(ModelFileInvalid, match="OpenVINO cannot load the image model"):
        async with supervisor.lease(painter):
            pass


@pytest.mark.slow
@pytest.mark.skipif(
    not (has_library and has_demo), reason="needs the extra `images` and a trained demo-image"
)
async def test_models_of_both_kinds_take_turns(home: Path, install: InstallModel) -> None:
    """Where there is room for one, the image model and the other each give way when idle."""
    text, image = install("m"), Models(load_settings()).get("demo-image")
    settings = load_settings(
        overrides={"memory_limit_bytes": 450 * MIB, "context_tokens": 512, "threads": 1}
    )
    async with Supervisor(settings) as supervisor:
        for model in (text, image, text, image):
            async with supervisor.lease(model):
                [status] = supervisor.status()
                assert (status.name, status.state) == (model.name, "ready")


@pytest.mark.slow
@pytest.mark.skipif(
    not (has_library and has_demo), reason="needs the extra `images` and a trained demo-image"
)
async def test_a_killed_image_engine_is_back_at_the_next_call(home: Path) -> None:
    """Another process serves the call after a SIGKILL."""
    image = Models(load_settings()).get("demo-image")
    async with Supervisor(load_settings(overrides={"threads": 1})) as supervisor:
        async with supervisor.lease(image):
            [first] = supervisor.status()
        assert first.pid is not None
        os.kill(first.pid, signal.SIGKILL)
        async with asyncio.timeout(10):
            while supervisor.status()[0].state != "failed":  # noqa: ASYNC110 -- no event tells
                await asyncio.sleep(0.01)

        async with supervisor.lease(image):
            [second] = supervisor.status()

    assert second.state == "ready"
    assert second.pid != first.pid
