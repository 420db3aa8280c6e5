"""`/v1/files`, as OpenAI's own client sees them."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Generator
from pathlib import Path

import openai
import pytest
from tests.server.conftest import Caller, running, settings_for

from ingle.server.serve import Serving

MAX_FILE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def files_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the server below."""
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def small(files_home: Path) -> Generator[Serving, None, None]:
    """A server whose files may be larger than its other requests."""
    settings = settings_for(
        files_home,
        max_body_bytes=64 * 1024,
        max_file_bytes=MAX_FILE_BYTES,
        body_s=5.0,
    )
    with running(settings) as serving:
        yield serving


@pytest.fixture
def files(small: Serving) -> Generator[openai.OpenAI, None, None]:
    """OpenAI's client at that server."""
    with openai.OpenAI(base_url=f"{small.url}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_a_file_comes_back_as_it_was(files: openai.OpenAI) -> None:
    """Any bytes, also more than fit in one request of another kind."""
    data = bytes(range(256)) * 8192 + b"\r\n--"
    made = files.files.create(file=("dir/ü a.bin", data), purpose="user_data")
    assert (made.filename, made.bytes, made.purpose) == ("ü a.bin", len(data), "user_data")
    assert (made.status, made.expires_at) == ("processed", None)
    assert files.files.retrieve(made.id) == made
    content = files.files.content(made.id)
    assert hashlib.sha256(content.content).digest() == hashlib.sha256(data).digest()
    assert content.response.headers["content-type"] == "application/octet-stream"


def test_an_empty_file(files: openai.OpenAI) -> None:
    """It is one, too."""
    made = files.files.create(file=("empty.txt", b""), purpose="user_data")
    assert (made.bytes, files.files.content(made.id).content) == (0, b"")


def test_files_are_listed_in_pages(files: openai.OpenAI) -> None:
    """The newest first, by purpose."""
    ids = [files.files.create(file=(f"{n}.txt", b"x"), purpose="assistants").id for n in range(3)]
    page = files.files.list(purpose="assistants", limit=2)
    assert ([file.id for file in page.data], page.has_more) == ([ids[2], ids[1]], True)
    assert [file.id for file in page] == ids[::-1]
    assert [f.id for f in files.files.list(purpose="assistants", order="asc", limit=1).data] == [
        ids[0]
    ]
    assert files.files.list(purpose="vision").data == []


def test_a_file_is_deleted(small: Serving, files: openai.OpenAI) -> None:
    """Its bytes, too; the error after that is OpenAI's."""
    made = files.files.create(file=("x.txt", b"x"), purpose="user_data")
    assert files.files.delete(made.id).deleted is True
    for path in (f"/v1/files/{made.id}", f"/v1/files/{made.id}/content"):
        answer = Caller(small.url)("GET", path)
        assert answer.status == 404
        assert answer.error["message"].startswith(f"No such File object: {made.id}")
        assert answer.error["type"] == "invalid_request_error"


def test_a_file_says_when_it_expires(files: openai.OpenAI) -> None:
    """Within OpenAI's bounds."""
    made = files.files.create(
        file=("x.txt", b"x"),
        purpose="user_data",
        expires_after={"anchor": "created_at", "seconds": 3600},
    )
    assert made.expires_at == pytest.approx(made.created_at + 3600, abs=1)
    with pytest.raises(openai.BadRequestError) as raised:
        files.files.create(
            file=("x.txt", b"x"),
            purpose="user_data",
            expires_after={"anchor": "created_at", "seconds": 5},
        )
    assert raised.value.param == "expires_after.seconds"


def test_a_file_that_is_too_large_leaves_nothing(files_home: Path, files: openai.OpenAI) -> None:
    """It is refused as soon as it is."""
    files.files.create(file=("small.txt", b"x"), purpose="user_data")
    before = sorted((files_home / "files").iterdir())
    with pytest.raises(openai.APIStatusError) as raised:
        files.files.create(file=("big.bin", bytes(MAX_FILE_BYTES + 1)), purpose="user_data")
    assert raised.value.status_code == 413
    assert "INGLE_MAX_FILE_BYTES" in raised.value.message
    assert sorted((files_home / "files").iterdir()) == before


FORM = "multipart/form-data; boundary=b"
FILE = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x.txt"\r\n\r\nhi\r\n'
PURPOSE = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nuser_data\r\n'


@pytest.mark.parametrize(
    ("kind", "body", "word"),
    [
        ("application/json", b"{}", "multipart/form-data"),
        ("multipart/form-data", FILE, "boundary"),
        (FORM, b"", "form"),
        (FORM, b"nonsense", "form"),
        (FORM, FILE, "form"),
        (FORM, FILE + b"--b--\r\n", "purpose"),
        (FORM, PURPOSE + b"--b--\r\n", "file"),
        (FORM, FILE + PURPOSE.replace(b"user_data", b"fun") + b"--b--\r\n", "purpose"),
        (FORM, FILE + FILE + PURPOSE + b"--b--\r\n", "more than one file"),
        (FORM, FILE + PURPOSE.replace(b"user_data", b"batch") + b"--b--\r\n", ".jsonl"),
        (FORM, PURPOSE.replace(b"user_data", b"x" * 70_000) + b"--b--\r\n", "bytes"),
    ],
)
def test_a_form_that_is_none_is_refused(small: Serving, kind: str, body: bytes, word: str) -> None:
    """With what is wrong."""
    answer = Caller(small.url)("POST", "/v1/files", body, headers={"Content-Type": kind})
    assert answer.status == 400
    assert word in answer.error["message"]


def test_a_name_leads_nowhere_else(small: Serving) -> None:
    """Whatever is asked for is looked up, never opened by its name."""
    for name in ("..%2Fingle.db", "../ingle.db", "%2e%2e"):
        assert Caller(small.url)("GET", f"/v1/files/{name}/content").status == 404


def test_an_upload_that_its_caller_leaves(small: Serving, files_home: Path) -> None:
    """What had come of it is deleted."""
    files = files_home / "files"
    with Caller(small.url).raw() as connection:
        head = f"POST /v1/files HTTP/1.1\r\nHost: localhost\r\nContent-Type: {FORM}\r\n"
        connection.sendall(f"{head}Content-Length: 1000000\r\n\r\n".encode() + FILE[:-4])
        until = time.monotonic() + 10
        while not list(files.glob("*.part")):
            assert time.monotonic() < until
    while list(files.glob("*.part")):
        assert time.monotonic() < until
