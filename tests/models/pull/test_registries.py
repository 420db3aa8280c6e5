"""Pulling from Ollama's registry and from registries of containers, against a stub of the protocol."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from ingle.errors import InvalidRequest, ModelFileInvalid, UpstreamInvalid, UpstreamRefused
from ingle.models.parameters import Parameters
from ingle.models.pull.record import read_record
from ingle.models.store import Models
from ingle.settings import Settings
from ingle.testing.file_server import FileServer
from ingle.testing.tiny_parts import write_projector

OLLAMA = "application/vnd.ollama.image."
TITLE = "org.opencontainers.image.title"

Pulling = Any  # of conftest, which no test can import
Gguf = Any


def push(
    server: FileServer,
    repository: str,
    tag: str,
    layers: list[tuple[str, bytes]],
    titles: dict[int, str] | None = None,
) -> list[str]:
    """Put an artifact into the registry; the digests of its layers."""
    described = []
    for number, (media_type, content) in enumerate(layers):
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        server.serve(f"/v2/{repository}/blobs/{digest}", content)
        layer: dict[str, object] = {
            "mediaType": media_type,
            "digest": digest,
            "size": len(content),
        }
        if titles and number in titles:
            layer["annotations"] = {TITLE: titles[number]}
        described.append(layer)
    manifest = {"schemaVersion": 2, "layers": described}
    server.serve(f"/v2/{repository}/manifests/{tag}", json.dumps(manifest))
    return [str(layer["digest"]) for layer in described]


def oci(server: FileServer, rest: str) -> str:
    return f"oci://{urlsplit(server.url).netloc}/{rest}"


async def test_ollama(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf, tmp_path: Path
) -> None:
    """A model of Ollama's registry comes with its projector, parameters, prompt and licence, which
    its manifest then sets; parameters that have no place or no sense here are left out."""
    parameters = {
        "stop": ["<end>"],
        "temperature": 0.5,
        "num_predict": 9,
        "num_ctx": 2,
        "top_k": "x",
    }
    push(
        server,
        "library/llama3.2",
        "3b",
        [
            (f"{OLLAMA}model", gguf(mark=b"a")),
            (f"{OLLAMA}projector", write_projector(tmp_path / "eyes").read_bytes()),
            (f"{OLLAMA}params", json.dumps(parameters).encode()),
            (f"{OLLAMA}system", b"You are short."),
            (f"{OLLAMA}license", b"LLAMA 3.2 COMMUNITY LICENSE\nlong text"),
            (f"{OLLAMA}template", b"{{ .Prompt }}"),
        ],
    )
    done = await pulling("ollama:llama3.2:3b")
    assert (done.name, done.source) == ("llama3.2-3b", "ollama:llama3.2:3b")
    record = read_record(done.path)
    assert record is not None
    assert [(file.name, file.role) for file in record.files] == [
        ("llama3.2-3b.gguf", "weights"),
        ("mmproj-llama3.2-3b.gguf", "projector"),
    ]
    assert record.parameters == parameters
    assert record.system_prompt == "You are short."
    assert record.licence == "LLAMA 3.2 COMMUNITY LICENSE"
    model = Models(settings).get("llama3.2-3b")
    assert model.path.name == "llama3.2-3b.gguf"
    assert "vision" in model.capabilities
    assert model.text.parameters == Parameters(
        stop=("<end>",), temperature=0.5, max_tokens=9, system_prompt="You are short."
    )
    assert (await pulling("ollama://llama3.2:3b")).was_there


async def test_ollama_in_the_cloud(server: FileServer, pulling: Pulling) -> None:
    """A tag without weights says why it cannot be run here."""
    push(server, "library/big", "cloud", [(f"{OLLAMA}license", b"x")])
    with pytest.raises(InvalidRequest, match="ollama:big:cloud holds no weights"):
        await pulling("ollama:big:cloud")


async def test_ollama_unknown(server: FileServer, pulling: Pulling) -> None:
    """A name that is not there says where to look."""
    with pytest.raises(UpstreamRefused, match=r"404.*Check the name and the tag at https://ollama"):
        await pulling("ollama:nothing")


async def test_blob_differs(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """A blob that is not what its digest says is removed; a small one is refused the same way."""
    digests = push(
        server, "library/a", "latest", [(f"{OLLAMA}model", gguf()), (f"{OLLAMA}system", b"hello")]
    )
    server.serve(f"/v2/library/a/blobs/{digests[0]}", gguf(mark=b"b"))
    with pytest.raises(ModelFileInvalid, match=digests[0].replace(":", " ")):
        await pulling("ollama:a")
    server.serve(f"/v2/library/a/blobs/{digests[1]}", b"other")
    with pytest.raises(UpstreamInvalid, match=f"what should have {digests[1]} has sha256:"):
        await pulling("ollama:a")


async def test_ollama_shares(
    server: FileServer, settings: Settings, pulling: Pulling, gguf: Gguf
) -> None:
    """What Ollama has on this machine is linked, not fetched."""
    (digest,) = push(server, "library/a", "latest", [(f"{OLLAMA}model", gguf())])
    assert settings.ollama_models is not None
    blob = settings.ollama_models / "blobs" / digest.replace(":", "-")
    blob.parent.mkdir(parents=True)
    blob.write_bytes(gguf())
    done = await pulling("ollama:a")
    assert (done.path / "a.gguf").samefile(blob)
    assert [request.target for request in server.requests] == ["/v2/library/a/manifests/latest"]


async def test_oci_by_title(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """The GGUF files of an artifact are taken by their titles; the rest is left."""
    push(
        server,
        "models/tiny",
        "v1",
        [("application/octet-stream", gguf()), ("text/markdown", b"# Tiny")],
        titles={0: "Tiny-Q8_0.gguf", 1: "README.md"},
    )
    done = await pulling(oci(server, "models/tiny:v1"))
    assert done.name == "tiny-v1"
    assert [path.name for path in done.path.glob("*.gguf")] == ["Tiny-Q8_0.gguf"]


async def test_oci_by_media_type(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """Docker's model artifacts have no titles: their media types tell."""
    push(
        server,
        "ai/smol",
        "latest",
        [
            ("application/vnd.docker.ai.gguf.v3", gguf()),
            ("application/vnd.docker.ai.license", b"x"),
        ],
    )
    done = await pulling(oci(server, "ai/smol"))
    assert (done.name, done.size_bytes) == ("smol", 300_000)


async def test_oci_token(
    server: FileServer, elsewhere: FileServer, pulling: Pulling, gguf: Gguf
) -> None:
    """A registry that wants a token gets one that anybody may have; the blobs' host does not."""
    (digest,) = push(server, "ai/smol", "latest", [("application/vnd.docker.ai.gguf.v3", gguf())])
    blob = f"/v2/ai/smol/blobs/{digest}"
    elsewhere.serve("/cdn", server.files[blob].content)
    server.files[blob].location = f"{elsewhere.url}/cdn"
    scope = "repository%3Aai%2Fsmol%3Apull"
    server.serve(f"/token?service=here&scope={scope}", '{"token": "t1"}')
    server.files["/v2/ai/smol/manifests/latest"].wants_token = "Bearer t1"
    challenge = server.serve("/v2/", b"")
    challenge.wants_token = "Bearer t1"
    challenge.headers["WWW-Authenticate"] = (
        f'Bearer realm="{server.url}/token",service="here",scope="repository:user/image:pull"'
    )
    await pulling(oci(server, "ai/smol"))
    assert server.asked(blob)[0].headers["authorization"] == "Bearer t1"
    assert "authorization" not in elsewhere.requests[0].headers


async def test_oci_index_and_digest(server: FileServer, pulling: Pulling, gguf: Gguf) -> None:
    """An index leads to its first manifest, and a manifest by digest is checked."""
    push(server, "a/b", "inner", [("application/x-gguf", gguf())])
    inner = server.files["/v2/a/b/manifests/inner"].content
    digest = f"sha256:{hashlib.sha256(inner).hexdigest()}"
    server.serve(f"/v2/a/b/manifests/{digest}", inner)
    entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": digest, "size": 1}
    server.serve("/v2/a/b/manifests/latest", json.dumps({"manifests": [entry]}))
    assert (await pulling(oci(server, "a/b"))).name == "b"
    server.serve(f"/v2/a/b/manifests/{digest}", inner + b" ")
    with pytest.raises(UpstreamInvalid, match=f"what should have {digest}"):
        await pulling(oci(server, f"a/b@{digest}"), name="other")


@pytest.mark.parametrize("title", ["../x.gguf", "/x.gguf", "a/../../x.gguf", "x\n.gguf"])
async def test_oci_evil_titles(
    server: FileServer, pulling: Pulling, gguf: Gguf, title: str
) -> None:
    """A title that leads out of its folder is refused."""
    push(server, "a/b", "latest", [("application/octet-stream", gguf())], titles={0: title})
    with pytest.raises(ModelFileInvalid, match="names a file"):
        await pulling(oci(server, "a/b"))


@pytest.mark.parametrize(
    ("media_type", "title", "reason"),
    [
        ("application/vnd.oci.image.layer.v1.tar+gzip", None, "archives are not unpacked"),
        ("application/octet-stream", "model.pt", "Python pickles"),
        ("application/octet-stream", "model.zip", "archives are not unpacked"),
    ],
)
async def test_oci_not_taken(
    server: FileServer, pulling: Pulling, media_type: str, title: str | None, reason: str
) -> None:
    """Archives and pickles are refused, with the reason."""
    push(server, "a/b", "latest", [(media_type, b"x")], titles={0: title} if title else None)
    with pytest.raises(ModelFileInvalid, match=reason):
        await pulling(oci(server, "a/b"))


@pytest.mark.parametrize("digest", ["sha256:../../x", "md5:00", "", "sha256:" + "A" * 64])
async def test_evil_digests(server: FileServer, pulling: Pulling, digest: str) -> None:
    """A digest is 64 hexadecimal digits, for it becomes a part of an address."""
    layer = {"mediaType": f"{OLLAMA}model", "digest": digest, "size": 5}
    server.serve("/v2/library/a/manifests/latest", json.dumps({"layers": [layer]}))
    with pytest.raises(UpstreamInvalid, match="which is no sha256 digest"):
        await pulling("ollama:a")
