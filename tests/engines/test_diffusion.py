"""The image engine as its parent sees it: a real child process, and the demo model's pictures."""

from __future__ import annotations

import asyncio
import base64
import importlib.util
import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncGenerator, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

import aiohttp
import pytest

import ingle
from ingle.errors import ConfigurationError, ModelFileInvalid

if TYPE_CHECKING:
    from PIL import Image
    from PIL.PngImagePlugin import PngImageFile

DEMO = Path(ingle.__file__).parent / "models/demo/image"
KEY = "a-key-of-this-test"
Colour = tuple[int, int, int]
Json = dict[str, Any]  # Any: a JSON value has no narrower type

has_library = importlib.util.find_spec("openvino_genai") and importlib.util.find_spec("PIL")
has_demo = (DEMO / "model_index.json").exists()
needs_library = pytest.mark.skipif(
    not (has_library and has_demo), reason="needs the extra `images` and a trained demo-image"
)


@dataclass(frozen=True)
class Child:
    """A running engine."""

    process: subprocess.Popen[bytes]
    port: int


def start(**said: object) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-m", "ingle.engines.diffusion"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(Path(ingle.__file__).parents[1])},
    )
    assert process.stdin is not None
    line = {"model": str(DEMO), "name": "demo-image", "key": KEY, **said}
    process.stdin.write(json.dumps(line).encode() + b"\n")
    process.stdin.flush()
    return process


def first_line(process: subprocess.Popen[bytes]) -> Json:
    assert process.stdout is not None
    told: Json = json.loads(process.stdout.readline())
    return told


def end(process: subprocess.Popen[bytes]) -> int:
    """Its exit code, once its standard input is closed."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    code = process.wait(timeout=15)
    process.stdout.close()
    return code


@pytest.fixture(scope="module")
def child() -> Iterator[Child]:
    """One engine with the demo model for all tests of this file."""
    process = start()
    told = first_line(process)
    yield Child(process, told["port"])
    assert end(process) == 0


@pytest.fixture
async def http(child: Child) -> AsyncGenerator[aiohttp.ClientSession]:
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{child.port}", headers=headers) as session:
        yield session


async def generate(http: aiohttp.ClientSession, prompt: str, **fields: object) -> Json:
    body = {"prompt": prompt, "seed": 1, **fields}
    async with http.post("/v1/images/generations", json=body) as response:
        answer: Json = await response.json()
        assert response.status == 200, answer
        return answer


def opened(image: Json) -> Image.Image:
    from PIL import Image

    return Image.open(io.BytesIO(base64.b64decode(image["b64_json"])))


def colours(image: Image.Image, side: int) -> list[Colour]:
    """The image scaled to a square, as colours in rows."""
    data = image.convert("RGB").resize((side, side)).tobytes()
    return list(zip(data[::3], data[1::3], data[2::3], strict=True))


def colour_at(image: Image.Image, x: float, y: float) -> Colour:
    """The colour at a share of the width and height."""
    return colours(image, 256)[int(y * 256) * 256 + int(x * 256)]


def is_red(colour: Colour) -> bool:
    red, green, blue = colour
    return red > 170 and green < 110 and blue < 120


def is_blue(colour: Colour) -> bool:
    red, green, blue = colour
    return blue > 170 and red < 110 and green < 150


def shape_of_red(image: Image.Image) -> tuple[float, float]:
    """Width by height of the red part's box, and the share of that box that it fills."""
    spots = [(i % 128, i // 128) for i, c in enumerate(colours(image, 128)) if is_red(c)]
    width = max(x for x, _ in spots) - min(x for x, _ in spots) + 1
    height = max(y for _, y in spots) - min(y for _, y in spots) + 1
    return width / height, len(spots) / (width * height)


@needs_library
async def test_the_picture_follows_the_prompt(http: aiohttp.ClientSession) -> None:
    """A red circle on blue is red in the middle, blue in the corners, and as wide as high."""
    (image,) = (await generate(http, "a red circle on a blue background"))["data"]
    picture = opened(image)
    assert picture.size == (256, 256)
    assert is_red(colour_at(picture, 0.5, 0.5))
    for corner in ((0.04, 0.04), (0.96, 0.04), (0.04, 0.96), (0.96, 0.96)):
        assert is_blue(colour_at(picture, *corner))
    ratio, _ = shape_of_red(picture)
    assert 0.85 < ratio < 1.18


@needs_library
@pytest.mark.parametrize(
    ("shape", "least", "most"),
    [
        ("circle", 0.74, 0.86),  # pi / 4 = 0.785
        ("square", 0.88, 1.0),
        ("triangle", 0.45, 0.62),
        ("star", 0.36, 0.52),
        ("heart", 0.6, 0.77),
    ],
)
async def test_shapes_are_told_apart(
    http: aiohttp.ClientSession, shape: str, least: float, most: float
) -> None:
    """How much of its box a shape fills: nearly all of it, pi / 4, half. The middle of 5 seeds."""
    filled = [
        shape_of_red(opened((await generate(http, prompt, seed=seed))["data"][0]))[1]
        for prompt in [f"a red {shape} on a white background"]
        for seed in range(1, 6)
    ]
    assert least < median(filled) < most


@needs_library
async def test_places_are_kept(http: aiohttp.ClientSession) -> None:
    """Left is left and right is right."""
    prompt = "a red circle on the left and a blue square on the right, white background"
    (image,) = (await generate(http, prompt))["data"]
    picture = opened(image)
    assert is_red(colour_at(picture, 0.28, 0.5))
    assert is_blue(colour_at(picture, 0.72, 0.5))


@needs_library
@pytest.mark.parametrize("size", ["136x200", "1536x1024"])
async def test_any_size_in_steps_of_eight_is_drawn(http: aiohttp.ClientSession, size: str) -> None:
    """The picture has the size that was asked for, and the ground's colour at its edge."""
    answer = await generate(http, "a red circle on a blue background", size=size)
    picture = opened(answer["data"][0])
    assert f"{picture.width}x{picture.height}" == answer["size"] == size
    assert is_blue(colour_at(picture, 0.04, 0.04))


@needs_library
@pytest.mark.parametrize("size", ["512x512", "1024x1024", "768x512"])
async def test_every_size_is_drawn_in_full(http: aiohttp.ClientSession, size: str) -> None:
    """Larger and longer pictures show the same thing, as sharp, and not four of it."""
    answer = await generate(http, "a red circle on a blue background", size=size)
    picture = opened(answer["data"][0])
    assert f"{picture.width}x{picture.height}" == answer["size"] == size
    assert is_red(colour_at(picture, 0.5, 0.5))
    assert is_blue(colour_at(picture, 0.04, 0.04))
    ratio, _ = shape_of_red(picture)
    assert 0.85 < ratio * picture.width / picture.height < 1.18


@needs_library
async def test_a_seed_gives_the_same_bytes(http: aiohttp.ClientSession) -> None:
    """The same seed, the same file; another seed, another picture."""
    same = [(await generate(http, "a cat", seed=seed))["data"][0]["b64_json"] for seed in (3, 3, 4)]
    assert same[0] == same[1] != same[2]


@needs_library
async def test_n_pictures_count_their_seeds(http: aiohttp.ClientSession) -> None:
    """The second of two is what the next seed draws alone."""
    two = (await generate(http, "a tree", n=2, seed=8))["data"]
    (alone,) = (await generate(http, "a tree", seed=9))["data"]
    assert [image["seed"] for image in two] == [8, 9]
    assert two[1] == alone


@needs_library
async def test_the_file_says_how_it_was_made(http: aiohttp.ClientSession) -> None:
    """PNG carries the request, and a seed that was chosen here is told."""
    answer = await generate(http, "ein Kreis, größer", seed=None, negative_prompt="green", steps=4)
    (image,) = answer["data"]
    about = json.loads(opened(image).info["ingle"])
    assert about == {
        "model": "demo-image",
        "prompt": "ein Kreis, größer",
        "negative_prompt": "green",
        "seed": image["seed"],
        "steps": 4,
        "guidance_scale": about["guidance_scale"],
        "size": "256x256",
    }


@needs_library
@pytest.mark.parametrize("form", ["png", "jpeg", "webp"])
async def test_a_url_holds_the_picture_itself(http: aiohttp.ClientSession, form: str) -> None:
    """`url` is a data URI, in the format asked for."""
    answer = await generate(http, "a star", response_format="url", output_format=form)
    head, _, data = answer["data"][0]["url"].partition(",")
    assert head == f"data:image/{form};base64"
    assert opened({"b64_json": data}).format == form.upper()


@needs_library
async def test_steps_are_streamed(http: aiohttp.ClientSession) -> None:
    """An event a step, a preview where asked for, and the finished picture as the last."""
    body = {"prompt": "a sun", "seed": 1, "steps": 4, "stream": True, "partial_images": 1}
    async with http.post("/v1/images/generations", json=body) as response:
        assert response.content_type == "text/event-stream"
        lines = (await response.text()).splitlines()
    events = [json.loads(line.removeprefix("data: ")) for line in lines if line[:5] == "data:"]
    kinds = [event["type"].removeprefix("image_generation.") for event in events]
    assert kinds == ["progress", "progress", "partial_image", "progress", "progress", "completed"]
    assert [e["step"] for e in events if e["type"].endswith("progress")] == [1, 2, 3, 4]
    (whole,) = (await generate(http, "a sun", steps=4))["data"]
    assert events[-1]["b64_json"] == whole["b64_json"]


@needs_library
@pytest.mark.parametrize("stream", [False, True])
async def test_who_leaves_stops_the_drawing(http: aiohttp.ClientSession, stream: bool) -> None:
    """The drawing ends at the next step, long before its last."""
    body = {"prompt": "a sun", "steps": 150, "size": "1024x1024", "stream": stream}
    request = asyncio.create_task(http.post("/v1/images/generations", json=body).__aenter__())
    step = 0
    while step < 2:
        step = (await progress(http))["step"]
    request.cancel()
    if stream:
        (await request).close()
    else:
        with pytest.raises(asyncio.CancelledError):
            await request
    now = await progress(http)
    while now["is_drawing"]:
        step, now = now["step"], await progress(http)
    assert step < 50


async def progress(http: aiohttp.ClientSession) -> Json:
    async with http.get("/progress") as response:
        said: Json = await response.json()
        return said


def png(
    colour: tuple[int, ...], size: tuple[int, int] = (256, 256), hole: tuple[int, ...] | None = None
) -> bytes:
    """A plain image; `hole` is a box of another colour in it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGBA" if len(colour) == 4 else "RGB", size, colour)
    if hole is not None:
        ImageDraw.Draw(image).rectangle((128, 0, 255, 255), fill=hole)
    file = io.BytesIO()
    image.save(file, "PNG")
    return file.getvalue()


async def send_form(
    http: aiohttp.ClientSession, path: str, files: dict[str, bytes], **fields: str
) -> tuple[int, Json]:
    form = aiohttp.FormData(fields)
    for name, data in files.items():
        form.add_field(name, data, filename=f"{name}.png", content_type="image/png")
    async with http.post(f"/v1/images/{path}", data=form) as response:
        return response.status, await response.json()


@needs_library
async def test_an_edit_keeps_what_the_mask_keeps(http: aiohttp.ClientSession) -> None:
    """Where the mask is opaque, every pixel stays; where it is transparent, something is drawn."""
    mask = png((0, 0, 0, 255), hole=(0, 0, 0, 0))
    files = {"image": png((250, 250, 248)), "mask": mask}
    status, answer = await send_form(
        http, "edits", files, prompt="a plain blue background", seed="1"
    )
    assert status == 200, answer
    picture = opened(answer["data"][0]).convert("RGB")
    assert picture.crop((0, 0, 128, 256)).getextrema() == ((250, 250), (250, 250), (248, 248))
    assert not is_blue(colour_at(picture, 0.2, 0.5))
    assert is_blue(colour_at(picture, 0.8, 0.5))


@needs_library
async def test_a_variation_has_the_pictures_size_and_colours(http: aiohttp.ClientSession) -> None:
    """A picture like the one given, in its size rounded to what can be drawn."""
    files = {"image": png((52, 106, 222), size=(203, 260))}
    status, answer = await send_form(http, "variations", files, strength="0.3", seed="1")
    assert status == 200, answer
    assert answer["size"] == "200x256"
    assert is_blue(colour_at(opened(answer["data"][0]), 0.5, 0.5))


@needs_library
@pytest.mark.parametrize(
    ("files", "code", "param"),
    [
        ({"picture": b"x"}, "invalid_request", "image"),
        ({"image": b"GIF89a"}, "unsupported_input", "image"),
        ({"image": b"\x89PNG\r\n\x1a\n cut"}, "unsupported_input", "image"),
    ],
)
async def test_what_is_no_image_is_refused(
    http: aiohttp.ClientSession, files: dict[str, bytes], code: str, param: str
) -> None:
    """The error names the field."""
    status, answer = await send_form(http, "variations", files)
    assert status == 400
    assert (answer["error"]["code"], answer["error"]["param"]) == (code, param)


@needs_library
async def test_errors_have_the_shape_of_openais(http: aiohttp.ClientSession) -> None:
    """A wrong field, a wrong key, an unknown path: all are told alike."""
    async with http.post("/v1/images/generations", json={"prompt": "a", "n": 50}) as response:
        assert response.status == 400
        error = (await response.json())["error"]
    assert (error["type"], error["param"]) == ("invalid_request_error", "n")
    async with http.get("/v1/models", headers={"Authorization": "Bearer wrong"}) as response:
        assert response.status == 401
        assert (await response.json())["error"]["code"] == "invalid_api_key"
    async with http.get("/v1/nothing") as response:
        assert response.status == 404
        assert (await response.json())["error"]["code"] == "not_found"


@needs_library
async def test_health_and_models(http: aiohttp.ClientSession) -> None:
    """Health needs no key; the model goes by the name that its parent gave it."""
    async with http.get("/health", headers={"Authorization": ""}) as response:
        assert await response.json() == {"status": "ok"}
    async with http.get("/v1/models") as response:
        assert [model["id"] for model in (await response.json())["data"]] == ["demo-image"]


@needs_library
@pytest.mark.slow
def test_a_manifest_says_how_to_draw_and_a_second_start_draws_the_same(tmp_path: Path) -> None:
    """Steps, guidance, size and scheduler are its own; what was compiled before changes nothing."""
    how = {"scheduler": "euler", "steps": 3, "guidance_scale": 1.5, "width": 128, "height": 192}
    files = []
    for _ in range(2):
        process = start(cache=str(tmp_path / "cache"), **how)
        files.append(asyncio.run(_drawn(first_line(process)["port"])))
        assert end(process) == 0
    assert files[0] == files[1]
    about = json.loads(_png(files[0]).text["ingle"])
    assert (about["steps"], about["guidance_scale"], about["size"]) == (3, 1.5, "128x192")
    (folder,) = (tmp_path / "cache").iterdir()
    assert len(list(folder.glob("*.blob"))) >= 3


@needs_library
@pytest.mark.slow
def test_what_was_compiled_of_other_files_is_not_used(tmp_path: Path) -> None:
    """A model that is replaced in its folder draws as the new one does."""
    model = tmp_path / "model"
    shutil.copytree(DEMO, model)
    file = model / "vae_decoder" / "openvino_model.bin"
    whole = file.read_bytes()
    middle = len(whole) // 2
    drawn = []
    for weights in (whole, whole[:middle] + bytes(50_000) + whole[middle + 50_000 :]):
        file.write_bytes(weights)
        process = start(model=str(model), cache=str(tmp_path / "cache"), steps=2)
        drawn.append(_png(asyncio.run(_drawn(first_line(process)["port"]))).tobytes())
        assert end(process) == 0
    assert drawn[0] != drawn[1]


async def _drawn(port: int) -> bytes:
    """The file of a picture."""
    headers = {"Authorization": f"Bearer {KEY}"}
    async with aiohttp.ClientSession(f"http://127.0.0.1:{port}", headers=headers) as http:
        answer = await generate(http, "a red circle")
    return base64.b64decode(answer["data"][0]["b64_json"])


def _png(file: bytes) -> PngImageFile:
    from PIL.PngImagePlugin import PngImageFile

    return PngImageFile(io.BytesIO(file))


def test_a_model_that_cannot_load_is_told_on_the_first_line(tmp_path: Path) -> None:
    """The parent reads the reason, and the exit code is the error's own."""
    process = start(model=str(tmp_path / "model.ckpt"))
    told = first_line(process)
    assert told["error"]["code"] == "model_file_invalid"
    assert "pickle" in told["error"]["message"]
    assert end(process) == ModelFileInvalid.exit_code


def test_a_start_that_is_not_understood_is_told() -> None:
    """A parent of another version learns which word was wrong."""
    process = start(colour="blue")
    told = first_line(process)
    assert told["error"]["code"] == "invalid_configuration"
    assert "`colour`" in told["error"]["message"]
    assert end(process) == ConfigurationError.exit_code


@pytest.mark.skipif(
    bool(has_library) or not has_demo, reason="needs a trained demo-image, and no library for it"
)
def test_a_missing_library_is_told() -> None:
    """The reason says what to install."""
    process = start()
    error = first_line(process)["error"]
    assert error["code"] == "engine_missing"
    assert error["message"].endswith("Run: pip install 'ingle[images]'")
    assert end(process) == 6
