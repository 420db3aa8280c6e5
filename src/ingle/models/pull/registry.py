"""Registries of containers: a manifest that lists blobs, each named by its sha256.

Ollama's registry speaks this protocol too. Source: the OCI Distribution Specification 1.1, and for
tokens https://distribution.github.io/distribution/spec/auth/token.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from ingle.errors import UpstreamInvalid, UpstreamRefused
from ingle.models.pull.answer import Advice, decode
from ingle.models.pull.registry_manifest import Descriptor, Manifest
from ingle.models.pull.web import Web

__all__ = ["Registry", "open_repository"]

_MANIFESTS = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
_MANIFEST_BYTES = 4 * 1024 * 1024  # the specification's own bound
_SMALL_BYTES = 1024 * 1024
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_CHALLENGE = re.compile(r'(realm|service|scope)="([^"]*)"')
_FEW_LAYERS = 1000


class _Token(msgspec.Struct):
    token: str = ""
    access_token: str = ""


@dataclass(frozen=True, slots=True)
class Registry:
    """One repository of a registry; `token` was given to anyone who asks."""

    base: str
    repository: str
    web: Web
    advice: Advice
    token: str | None = field(default=None, repr=False)

    async def manifest(self, reference: str) -> Manifest:
        """The manifest of a tag or digest; of an index, its first entry.

        Raises:
            UpstreamError: there is none, it is not what its digest says, or it is no manifest.
        """
        found = await self._manifest(reference)
        if found.manifests and not found.layers:
            found = await self._manifest(self._checked(found.manifests[0]).digest)
        if len(found.layers) > _FEW_LAYERS:
            raise self._invalid(f"the manifest has {len(found.layers)} layers")
        for layer in found.layers:
            self._checked(layer)
        return found

    def blob_url(self, blob: Descriptor) -> str:
        """Where a blob is."""
        return f"{self.base}/v2/{self.repository}/blobs/{blob.digest}"

    async def small_blob(self, blob: Descriptor) -> bytes:
        """The content of a blob of up to 1 MiB, such as a licence or parameters.

        Raises:
            UpstreamError: it is not there, too long, or not what its digest says.
        """
        body = await self._ask(self.blob_url(blob), {}, _SMALL_BYTES)
        self._check(body, blob.digest)
        return body

    async def _manifest(self, reference: str) -> Manifest:
        url = f"{self.base}/v2/{self.repository}/manifests/{reference}"
        body = await self._ask(url, {"Accept": ", ".join(_MANIFESTS)}, _MANIFEST_BYTES)
        if reference.startswith("sha256:"):
            self._check(body, reference)
        return decode(body, Manifest, url)

    async def _ask(self, url: str, headers: Mapping[str, str], limit_bytes: int) -> bytes:
        return await self.web.ask(
            url, headers=headers, bearer=self.token, advice=self.advice, limit_bytes=limit_bytes
        )

    def _checked(self, blob: Descriptor) -> Descriptor:
        if not _DIGEST.fullmatch(blob.digest) or blob.size < 0:
            raise self._invalid(
                f"a blob is called {blob.digest[:100]!r}, which is no sha256 digest"
            )
        return blob

    def _check(self, body: bytes, digest: str) -> None:
        found = f"sha256:{hashlib.sha256(body).hexdigest()}"
        if found != digest:
            raise self._invalid(f"what should have {digest} has {found}")

    def _invalid(self, why: str) -> UpstreamInvalid:
        url = f"{self.base}/v2/{self.repository}"
        return UpstreamInvalid(
            f"GET {url}: the registry's answer is wrong: {why}. Try another tag, or tell whoever "
            "publishes it.",
            url=url,
        )


async def open_repository(base: str, repository: str, web: Web, advice: Advice) -> Registry:
    """The repository, with a token for reading if the registry wants one that anybody may have.

    Raises:
        UpstreamError: the registry cannot be reached, or gives no such token.
    """
    url = f"{base}/v2/"
    async with web.get(url) as answer:
        challenge = answer.headers.get("WWW-Authenticate", "")
        if answer.status != 401 or not challenge.lower().startswith("bearer "):
            return Registry(base, repository, web, advice)
    asked = dict(_CHALLENGE.findall(challenge))
    realm = asked.pop("realm", "")
    if not realm.startswith(("https://", "http://")):
        raise UpstreamRefused(
            f"GET {url}: the registry wants a token and does not say from where. {advice[401]}",
            url=url,
            status=401,
        )
    # Always ours: some registries name a scope here that is only an example.
    asked["scope"] = f"repository:{repository}:pull"
    where = f"{realm}{'&' if '?' in realm else '?'}{urlencode(asked)}"
    found = decode(await web.ask(where, advice=advice), _Token, where)
    return Registry(base, repository, web, advice, found.token or found.access_token or None)
