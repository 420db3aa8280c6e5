"""Pulling from Hugging Face, against a stub of its API."""

from __future__ import annotations

import asyncio
import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from ingle.errors import (
    IngleError,
    InvalidRequest,
    ModelFileInvalid,
    ModelNotFound,
    ModelTooLarge,
    UpstreamInvalid,
    UpstreamRefused,
)
from ingle.models.manifest import update_manifest
from ingle.models.pull.record import read_record
from ingle.models.pull.verify import verify
from ingle.models.store import Models
from ingle.settings import Settings
from ingle.testing.file_server import FileServer
from ingle.testing.tiny_model import write_model
from ingle.testing.tiny_parts import write_projector

COMMIT = "0123456789abcdef0123456789abcdef01234567"
API = "/api/models/maker/Tiny-GGUF/revision/main?blobs=true"
MEMORY = 8 * 1024**3

Pulling = Any  # of conftest, which no test can import
Gguf = Any


def git_sha1(content: bytes) -> str:
    return hashlib.sha1(b"blob %d\0%b" % (len(content), content)).hexdigest()


def publish(
    server: FileServer, files: dict[str, bytes], repository: str = "maker/Tiny-GGUF", **listed: Any
) -> None:
    """Put a repository on the hub; what is larger than 1 kB is in git-lfs."""
    siblings = []
    for name, content in files.items():
        entry: dict[str, object] = {
            "rfilename": name,
            "size": len(content),
            "blobId": git_sha1(content),
        }
        if len(content) > 1000:
            sha256 = hashlib.sha256(content).hexdigest()
            entry["lfs"] = {"sha256": sha256, "size": len(content), "pointerSize": 130}
        siblings.append(entry)
        server.serve(f"/{repository}/resolve/{COMMIT}/{name}", content)
    body = {"sha": COMMIT, "siblings": siblings, "cardData": {"license": "apache-2.0"}, **listed}
    server.serve(f"/api/models/{repository}/revision/main?blobs=true", json.dumps(body))


async def test_installs_the_best_that_fits(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """The quantisation is chosen for the memory, said why, and checked by its digest."""
    publish(
        server,
        {
            "README.md": b"# Tiny",
            "Tiny-Q2_K.gguf": gguf(200_000),
            "Tiny-Q4_K_M.gguf": gguf(400_000),
            "Tiny-F16.gguf": gguf(900_000),
        },
    )
    done = await pulling("hf:maker/Tiny-GGUF", memory_bytes=MEMORY)
    assert done.name == "tiny-q4_k_m"
    assert done.source == "hf:maker/Tiny-GGUF"
    assert any(note.startswith("Q4_K_M, 0.4 MB: the usual balance") for note in pulling.notes)
    record = read_record(done.path)
    assert record is not None
    assert (record.revision, record.licence) == (COMMIT, "apache-2.0")
    assert [(file.name, file.role) for file in record.files] == [("Tiny-Q4_K_M.gguf", "weights")]
    assert Models(settings).get("tiny-q4_k_m").path == done.path / "Tiny-Q4_K_M.gguf"


async def test_named_quantisation(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """One that is named is honoured, also if it is too large for this machine."""
    publish(server, {"Tiny-Q2_K.gguf": gguf(), "Tiny-F16.gguf": gguf(mark=b"b")})
    assert (await pulling("hf:maker/Tiny-GGUF:f16", memory_bytes=1)).name == "tiny-f16"
    assert (await pulling("hf:maker/Tiny-GGUF:Tiny-Q2_K.gguf")).name == "tiny-q2_k"
    with pytest.raises(
        InvalidRequest, match=r"no 'Q8_0' among its files. There are: F16 \(0.3 MB\)"
    ):
        await pulling("hf:maker/Tiny-GGUF:Q8_0")


async def test_none_fits(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """If nothing fits, nothing is fetched, and what would be needed is told."""
    publish(server, {"Tiny-Q2_K.gguf": gguf(), "Tiny-F16.gguf": gguf(900_000)})
    with pytest.raises(ModelTooLarge, match=r"Even Q2_K, 0.3 MB, needs about 537 MB"):
        await pulling("hf:maker/Tiny-GGUF", memory_bytes=1_000_000)
    assert len(server.requests) == 1


async def test_split_with_projector(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A split model comes whole, and with what lets it see; the folders of the hub do not stay."""
    publish(
        server,
        {
            "Q8_0/Big-Q8_0-00001-of-00002.gguf": gguf(mark=b"a"),
            "Q8_0/Big-Q8_0-00002-of-00002.gguf": gguf(mark=b"b"),
            "mmproj-F16.gguf": gguf(mark=b"c"),
            "mmproj-F32.gguf": gguf(mark=b"d"),
        },
    )
    done = await pulling("hf:maker/Tiny-GGUF", memory_bytes=MEMORY)
    assert sorted(path.name for path in done.path.glob("*.gguf")) == [
        "Big-Q8_0-00001-of-00002.gguf",
        "Big-Q8_0-00002-of-00002.gguf",
        "mmproj-F16.gguf",
    ]
    assert done.size_bytes == 900_000
    assert (done.path / "mmproj-F16.gguf").is_file()
    assert (done.path / "big-q8_0.yaml").read_text().splitlines()[1:] == [
        "name: big-q8_0",
        "file: Big-Q8_0-00001-of-00002.gguf",
    ]
    Models(settings).remove("big-q8_0")
    assert not done.path.exists()


async def test_a_vision_model_sees(
    server: FileServer, settings: Settings, pulling: Pulling, tmp_path: Path
) -> None:
    """The projector that comes with a repository is named in the manifest; a newer version keeps
    what people have set there."""
    weights = write_model(tmp_path / "a").read_bytes()
    eyes = write_projector(tmp_path / "b").read_bytes()
    publish(server, {"Tiny-Q8_0.gguf": weights, "mmproj-Tiny.gguf": eyes})
    done = await pulling("hf:maker/Tiny-GGUF", memory_bytes=MEMORY)
    model = Models(settings).get("tiny-q8_0")
    assert "vision" in model.capabilities
    assert model.text.projector is not None
    assert model.text.projector.path == done.path / "mmproj-Tiny.gguf"

    update_manifest(done.path / "tiny-q8_0.yaml", {"slots": 3})
    publish(server, {"Tiny-Q4_0.gguf": weights, "mmproj-F16.gguf": eyes})
    await pulling("hf:maker/Tiny-GGUF", name="tiny-q8_0", memory_bytes=MEMORY)
    model = Models(settings).get("tiny-q8_0")
    assert (model.path.name, model.slots) == ("Tiny-Q4_0.gguf", 3)
    assert model.text.projector is not None
    assert model.text.projector.path.name == "mmproj-F16.gguf"


async def test_name_of_the_list(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A model of the curated list is pulled by its name."""
    publish(server, {"Qwen3-0.6B-Q8_0.gguf": gguf()}, repository="Qwen/Qwen3-0.6B-GGUF")
    assert (await pulling("qwen3-0.6b")).source == "hf:Qwen/Qwen3-0.6B-GGUF"


async def test_verify(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """What has changed or gone since it came is found."""
    publish(server, {"A-Q8_0.gguf": gguf(), "mmproj-F16.gguf": gguf(mark=b"b")})
    done = await pulling("hf:maker/Tiny-GGUF")
    assert await verify(done.path) == []
    (done.path / "A-Q8_0.gguf").write_bytes(b"x")
    (done.path / "mmproj-F16.gguf").unlink()
    changed, gone = await verify(done.path)
    assert changed.startswith("A-Q8_0.gguf should have sha256 ")
    assert gone.startswith("mmproj-F16.gguf is missing")
    with pytest.raises(ModelNotFound, match="was not pulled by Ingle"):
        await verify(done.path.parent)


async def test_hash_differs(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """What is not what the hub lists is removed; both hashes are named."""
    right, wrong = gguf(mark=b"a"), gguf(mark=b"b")
    publish(server, {"Tiny-Q4_K_M.gguf": right})
    server.serve(f"/maker/Tiny-GGUF/resolve/{COMMIT}/Tiny-Q4_K_M.gguf", wrong)
    with pytest.raises(ModelFileInvalid) as raised:
        await pulling("hf:maker/Tiny-GGUF")
    assert hashlib.sha256(right).hexdigest() in raised.value.message
    assert hashlib.sha256(wrong).hexdigest() in raised.value.message
    assert not list((settings.home / "models").rglob("*.part"))
    assert [model.name for model in Models(settings).list() if not model.is_builtin] == []


async def test_size_differs(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A file that is not as long as listed is refused before it is fetched."""
    publish(server, {"Tiny-Q4_K_M.gguf": gguf()})
    server.serve(f"/maker/Tiny-GGUF/resolve/{COMMIT}/Tiny-Q4_K_M.gguf", gguf(300_001))
    with pytest.raises(UpstreamInvalid, match="300001 bytes where the listing says 300000"):
        await pulling("hf:maker/Tiny-GGUF")


async def test_token_stays_with_the_hub(
    server: FileServer, elsewhere: FileServer, pulling: Pulling, gguf: Gguf
) -> None:
    """The hub gets the token; the network that it redirects to does not."""
    publish(server, {"Tiny-Q4_K_M.gguf": gguf()})
    place = f"/maker/Tiny-GGUF/resolve/{COMMIT}/Tiny-Q4_K_M.gguf"
    elsewhere.serve("/blob", server.files[place].content)
    server.files[place].location = f"{elsewhere.url}/blob"
    server.files[API].wants_token = "Bearer hf_secret"
    await pulling("hf:maker/Tiny-GGUF")
    assert {request.headers.get("authorization") for request in server.requests} == {
        "Bearer hf_secret"
    }
    assert [request.headers.get("authorization") for request in elsewhere.requests] == [None]


async def test_gated(server: FileServer, pulling: Pulling) -> None:
    """A repository that is not open says what to do, in the hub's words and ours."""
    served = server.serve(API, b"")
    served.wants_token = "Bearer another"
    served.headers["X-Error-Message"] = "Access to model maker/Tiny-GGUF is restricted."
    with pytest.raises(UpstreamRefused) as raised:
        await pulling("hf:maker/Tiny-GGUF")
    assert "Access to model maker/Tiny-GGUF is restricted" in raised.value.message
    assert "Check whether `huggingface_token` is right" in raised.value.message
    assert "hf_secret" not in raised.value.message


async def test_unknown_repository(server: FileServer, pulling: Pulling) -> None:
    """A repository that is not there is an error of 404."""
    with pytest.raises(UpstreamRefused, match=r"status 404: not found\. Check the name") as raised:
        await pulling("hf:maker/Nothing")
    assert raised.value.status == 404


@pytest.mark.parametrize("body", ["<html>", "[]", '{"sha": 1}', "{" * 5000, '{"siblings": []}'])
async def test_odd_listing(server: FileServer, pulling: Pulling, body: str) -> None:
    """A listing that is none is an error, whatever it is."""
    server.serve(API, body)
    with pytest.raises(UpstreamInvalid, match="is not the expected answer"):
        await pulling("hf:maker/Tiny-GGUF")


@pytest.mark.parametrize("name", ["../evil.gguf", "/etc/evil.gguf", "a\\b.gguf", "x\x1b[31m.gguf"])
async def test_evil_names(
    server: FileServer, pulling: Pulling, gguf: Gguf, name: str, home: Path
) -> None:
    """A name that leads out of its folder is refused, not cleaned."""
    publish(server, {name: gguf()})
    with pytest.raises(ModelFileInvalid, match="names a file"):
        await pulling("hf:maker/Tiny-GGUF")
    assert not (home / "models").exists()


async def test_only_pickles(server: FileServer, pulling: Pulling) -> None:
    """A repository of pickles is refused with the reason; one of safetensors is told apart."""
    publish(server, {"pytorch_model.bin": bytes(2000), "config.json": b"{}"})
    with pytest.raises(ModelFileInvalid, match="are Python pickles"):
        await pulling("hf:maker/Tiny-GGUF")
    publish(server, {"model.safetensors": bytes(2000), "pytorch_model.bin": bytes(2000)})
    with pytest.raises(InvalidRequest, match="holds no GGUF file, only safetensors"):
        await pulling("hf:maker/Tiny-GGUF")


def index(*parts: str) -> bytes:
    """What names the parts of an image model."""
    named = {part: ["library", "Class"] for part in parts}
    return json.dumps({"_class_name": "StableDiffusionPipeline", **named}).encode()


def fetched(folder: Path) -> list[str]:
    """The files of a model, without the record."""
    files = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in files if name != ".pulled.json")


async def test_an_image_model_in_openvinos_format(server: FileServer, pulling: Pulling) -> None:
    """Its parts come as they are, .bin included, and nothing else; small files are checked too."""
    publish(
        server,
        {
            ".gitattributes": b"x",
            "preview.png": b"png",
            "README.md": b"words",
            "model_index.json": index("scheduler", "unet", "vae", "safety_checker"),
            "scheduler/scheduler_config.json": b"{}",
            "unet/openvino_model.xml": b"<net/>",
            "unet/openvino_model.bin": bytes(5000),
            "unet/other.bin": bytes(3000),
            "vae_decoder/openvino_model.xml": b"<net/>",
            "vae_decoder/openvino_model.bin": bytes(5001),
            "onnx/model.onnx": bytes(4000),
        },
        repository="maker/Pictures",
    )
    done = await pulling("hf:maker/Pictures")
    assert done.name == "pictures"
    assert fetched(done.path) == [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "unet/openvino_model.bin",
        "unet/openvino_model.xml",
        "vae_decoder/openvino_model.bin",
        "vae_decoder/openvino_model.xml",
    ]
    server.files[f"/maker/Pictures/resolve/{COMMIT}/unet/openvino_model.xml"].content = b"<evil>"
    with pytest.raises(ModelFileInvalid, match="should have git-sha1"):
        await pulling("hf:maker/Pictures", is_fresh=True)


async def test_of_an_image_model_one_set_of_weights_is_fetched(
    server: FileServer, pulling: Pulling
) -> None:
    """In half precision where there is one, under the usual name; never the pickles beside it."""
    publish(
        server,
        {
            "model_index.json": index("scheduler", "text_encoder", "unet", "vae", "tokenizer"),
            "v1-5-pruned.safetensors": bytes(2001),
            "v1-5-pruned.ckpt": bytes(2002),
            "scheduler/scheduler_config.json": b"{}",
            "tokenizer/merges.txt": b"a b",
            "text_encoder/config.json": b"{}",
            "text_encoder/model.safetensors": bytes(2003),
            "text_encoder/pytorch_model.bin": bytes(2004),
            "unet/diffusion_pytorch_model.safetensors": bytes(2005),
            "unet/diffusion_pytorch_model.non_ema.safetensors": bytes(2006),
            "unet/diffusion_pytorch_model.fp16.safetensors": bytes(1007),
            "unet/diffusion_pytorch_model.fp16.bin": bytes(1008),
            "unet/diffusion_flax_model.msgpack": bytes(2009),
            "vae/diffusion_pytorch_model-00001-of-00002.safetensors": bytes(2010),
            "vae/diffusion_pytorch_model-00002-of-00002.safetensors": bytes(2011),
            "vae/diffusion_pytorch_model.safetensors.index.json": b"{}",
            "vae/diffusion_pytorch_model.safetensors.index.fp16.json": b"{ }",
            "vae/diffusion_pytorch_model.bin.index.json": b"{  }",
            "vae_1_0/diffusion_pytorch_model.safetensors": bytes(2012),
        },
        repository="maker/Pictures",
    )
    done = await pulling("hf:maker/Pictures")
    assert fetched(done.path) == [
        "model_index.json",
        "scheduler/scheduler_config.json",
        "text_encoder/config.json",
        "text_encoder/model.safetensors",
        "tokenizer/merges.txt",
        "unet/diffusion_pytorch_model.safetensors",
        "vae/diffusion_pytorch_model-00001-of-00002.safetensors",
        "vae/diffusion_pytorch_model-00002-of-00002.safetensors",
        "vae/diffusion_pytorch_model.safetensors.index.json",
    ]
    assert (done.path / "unet/diffusion_pytorch_model.safetensors").stat().st_size == 1007


@pytest.mark.parametrize(
    ("files", "kind", "told"),
    [
        ({"vae/pytorch_model.bin": 2000}, ModelFileInvalid, r"vae/pytorch_model.bin.*pickles"),
        ({"vae/a.non_ema.safetensors": 2000}, InvalidRequest, "non_ema.safetensors only"),
        ({"unet/a.safetensors": 2000}, InvalidRequest, "the part 'vae', which has no files"),
    ],
)
async def test_an_image_model_with_a_part_that_cannot_be_taken(
    server: FileServer,
    pulling: Pulling,
    files: dict[str, int],
    kind: type[IngleError],
    told: str,
) -> None:
    """Nothing of it is fetched, and the part is named."""
    content = {name: bytes(size) for name, size in files.items()}
    publish(server, {"model_index.json": index("vae"), **content})
    with pytest.raises(kind, match=told):
        await pulling("hf:maker/Tiny-GGUF")
    assert not any(name in request.target for request in server.requests for name in files)


@pytest.mark.parametrize("told", [b"{}", b"[]", b"<html>"])
async def test_an_index_that_is_none(server: FileServer, pulling: Pulling, told: bytes) -> None:
    """It names no parts, or is no JSON object."""
    publish(server, {"model_index.json": told, "unet/a.safetensors": bytes(2000)})
    with pytest.raises(
        (InvalidRequest, UpstreamInvalid), match=r"no parts|not the expected answer"
    ):
        await pulling("hf:maker/Tiny-GGUF")


async def test_a_pickle_by_another_name(server: FileServer, pulling: Pulling) -> None:
    """A .bin beside its .xml, and a .safetensors: their first bytes tell."""
    pickle = b"PK\x03\x04" + bytes(2000)
    openvino = {
        "vae_decoder/openvino_model.xml": b"<net/>",
        "vae_decoder/openvino_model.bin": pickle,
    }
    for files in (openvino, {"vae/model.safetensors": b"\x80\x04" + bytes(2000)}):
        publish(server, {"model_index.json": index("vae"), **files})
        with pytest.raises(ModelFileInvalid, match="is a Python pickle, whatever its name says"):
            await pulling("hf:maker/Tiny-GGUF")


async def test_new_commit_replaces(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """Pulling again brings what has changed, in place of the old; what people set goes on to hold."""
    publish(server, {"Tiny-Q4_K_M.gguf": gguf(mark=b"a")})
    first = await pulling("hf:maker/Tiny-GGUF")
    with (first.path / "tiny-q4_k_m.yaml").open("a") as manifest:
        manifest.write("context_tokens: 4096 # mine\n")
    assert (await pulling("hf:maker/Tiny-GGUF")).was_there
    publish(server, {"Tiny-Q4_K_M.gguf": gguf(mark=b"b")})
    done = await pulling("hf:maker/Tiny-GGUF")
    assert not done.was_there
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == gguf(mark=b"b")
    assert Models(settings).get("tiny-q4_k_m").context_tokens == 4096
    assert (await pulling("hf:maker/Tiny-GGUF")).was_there
    aside = settings.home / "models/.pulling/tiny-q4_k_m/old"
    aside.parent.mkdir()
    done.path.rename(aside)  # as a process that is killed at the worst moment leaves it
    assert (await pulling("hf:maker/Tiny-GGUF")).was_there
    assert "# mine" in (done.path / "tiny-q4_k_m.yaml").read_text()


async def test_several_at_once(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """No more files are under way at the same time than are allowed."""
    publish(
        server,
        {
            f"Big-Q8_0-0000{number}-of-00005.gguf": gguf(mark=bytes([number]))
            for number in range(1, 6)
        },
    )
    held = [file for path, file in server.files.items() if path.endswith(".gguf")]
    for file in held:
        file.holds_after = 0
    pull = asyncio.create_task(pulling("hf:maker/Tiny-GGUF", files_at_once=2))
    await pulling.until(lambda: sum(file.is_held.is_set() for file in held) >= 2)
    assert len(server.requests) == 3
    for file in held:
        file.go.set()
    assert (await pull).size_bytes == 1_500_000


async def test_shared_with_the_cache(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """A file that huggingface_hub has fetched is linked, not fetched; a damaged one is fetched."""
    content = gguf()
    publish(server, {"Tiny-Q4_K_M.gguf": content})
    assert settings.huggingface_cache is not None
    blob = (
        settings.huggingface_cache
        / "models--maker--Tiny-GGUF/blobs"
        / hashlib.sha256(content).hexdigest()
    )
    blob.parent.mkdir(parents=True)
    blob.write_bytes(content)
    done = await pulling("hf:maker/Tiny-GGUF")
    assert (done.path / "Tiny-Q4_K_M.gguf").samefile(blob)
    assert len(server.requests) == 1
    blob.write_bytes(b"damaged")
    done = await pulling("hf:maker/Tiny-GGUF", is_fresh=True)
    assert (done.path / "Tiny-Q4_K_M.gguf").read_bytes() == content
    assert blob.read_bytes() == b"damaged"
