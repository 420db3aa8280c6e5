"""A container registry's manifest as types: also what Ollama keeps on disk.

Source: the OCI Image Specification 1.1, manifest and descriptor.
"""

from __future__ import annotations

import msgspec

from ingle.models.pull.plan import Digest

__all__ = ["Descriptor", "Manifest"]


class Descriptor(msgspec.Struct, rename={"media_type": "mediaType"}):
    """What a manifest says of one blob."""

    media_type: str
    digest: str
    size: int
    annotations: dict[str, str] | None = None

    @property
    def sha256(self) -> Digest:
        return Digest("sha256", self.digest.removeprefix("sha256:"))


class Manifest(msgspec.Struct):
    """The layers of an artifact, or, of an index, the manifests to choose from."""

    layers: list[Descriptor] = []
    manifests: list[Descriptor] = []
    config: Descriptor | None = None
    annotations: dict[str, str] | None = None
