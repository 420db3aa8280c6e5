"""The model's name in a form."""

from __future__ import annotations

import pytest

from ingle.errors import InvalidRequest
from ingle.server.multipart import multipart_field, with_multipart_field

TYPE = 'multipart/form-data; boundary="b-1"'
FORM = (
    b'--b-1\r\nContent-Disposition: form-data; name="file"; filename="model"\r\n'
    b'Content-Type: audio/wav\r\n\r\n\x00\r\n--b-\r\n\r\nname="model"\xff\r\n'
    b'--b-1\r\nContent-Disposition: form-data; name="model"\r\n\r\nlocalai/whisper\r\n--b-1--\r\n'
)


def test_the_model_is_found_among_files() -> None:
    """Neither a file's name nor its bytes are taken for it."""
    assert multipart_field(FORM, TYPE, "model") == "localai/whisper"
    assert multipart_field(FORM, TYPE, "prompt") is None


def test_another_name_is_put_there_and_nothing_else_changes() -> None:
    """The file stays byte for byte."""
    changed = with_multipart_field(FORM, TYPE, "model", "whisper")
    assert changed == FORM.replace(b"localai/whisper", b"whisper")


@pytest.mark.parametrize(
    ("body", "content_type"), [(FORM, "multipart/form-data"), (b"x", TYPE), (b"", TYPE)]
)
def test_what_is_no_form_is_refused(body: bytes, content_type: str) -> None:
    """No boundary, or a body that does not begin with it."""
    with pytest.raises(InvalidRequest):
        multipart_field(body, content_type, "model")
