"""`/api/files`: written to the disk as they come, and given to apps by their ids."""

from __future__ import annotations

import base64
import resource
from pathlib import Path

import pytest
from tests.server.app_texts import published
from tests.server.conftest import Caller, Reply, running, settings_for

LOOK = """\
name: Look
input: {document: file}
steps:
  same: {use: ingle/template, input: {text: "{{ input.document }}"}}
"""


def upload(call: Caller, name: str, content: bytes) -> Reply:
    """The answer to a form with one file."""
    head = f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    body = head.encode() + content + b"\r\n--x--\r\n"
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    return call("POST", "/api/files", body, headers=kind)


def test_an_app_reads_a_file_by_its_id(call: Caller) -> None:
    """As a data URI with its name; the path that it had elsewhere is nowhere."""
    kept = upload(call, "../../etc/notes.txt", b"Hello.")
    assert (kept.status, kept.json["filename"], kept.json["size_bytes"]) == (201, "notes.txt", 6)
    file = kept.json["id"]
    with published(call, "look", LOOK) as path:
        answer = call.post(f"{path}/run", {"input": {"document": f"file:{file}"}})
        assert call("GET", f"/api/files/{file}").json == kept.json
        assert file in [one["id"] for one in call("GET", "/api/files").json["files"]]
        assert call("DELETE", f"/api/files/{file}").status == 204
        gone = call.post(f"{path}/run", {"input": {"document": f"file:{file}"}})
    assert answer.json["output"] == (
        f"data:text/plain;name=notes.txt;base64,{base64.b64encode(b'Hello.').decode()}"
    )
    assert gone.status == 404


def test_a_file_may_be_larger_than_other_requests(call: Caller) -> None:
    """Those are read into memory; this is not."""
    assert upload(call, "large.bin", bytes(1024 * 1024)).json["size_bytes"] == 1024 * 1024


def test_what_is_no_form_with_a_file_is_refused(call: Caller) -> None:
    """With how to send it."""
    assert "multipart/form-data" in call.post("/api/files", {}).error["message"]


@pytest.mark.slow
def test_200_megabytes_take_no_memory(tmp_path: Path) -> None:
    """Up to the limit a file goes to the disk; beyond it, it is refused and nothing is left."""
    limit = 100 * 1024**2
    with running(settings_for(tmp_path, max_file_bytes=limit)) as serving:
        call = Caller(serving.url)
        content = bytes(200 * 1024**2)
        before_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        refused = upload(call, "huge.bin", content)
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before_kib) * 1024
    assert (refused.status, refused.error["code"]) == (413, "request_too_large")
    assert grown < 2.5 * len(content)  # this test's own body, which it joins, and little more
    assert list((tmp_path / "files").iterdir()) == []
