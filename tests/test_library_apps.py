"""`import ingle`: apps, from a file or published, with the four functions that run processors."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import ingle
from ingle.cli import main
from ingle.errors import AppNotFound, InvalidRequest
from ingle.runs.once import AppOutput

APP = """
name: Ask
input: {question: text, as_list: {type: boolean, default: false}}
steps:
  answer: {prompt: "{{ input.question }}", config: {temperature: 0, max_tokens: 8}}
output: "So: {{ answer }}"
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[str]:
    path = tmp_path / "app.yaml"
    path.write_text(APP)
    yield str(path)
    ingle.close()


HELLO = {"question": "Hello!"}


async def test_an_app_is_a_function(app: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Its file and its slug give the same output, synchronous or not, whole or in pieces."""
    assert main(["apps", "publish", app]) == 0
    whole = ingle.run(app, HELLO)
    assert isinstance(whole, AppOutput)
    assert whole.output.startswith("So: ")
    assert await ingle.arun("app/ask", HELLO) == whole
    *pieces, last = ingle.stream("app/ask", HELLO)
    assert last == whole
    found = [item for item in pieces if isinstance(item, ingle.Piece)]
    assert len(found) > 2
    assert ingle.fold(found) == {"output": whole.output}
    assert [item async for item in ingle.astream(app, HELLO)][-1] == whole


def test_an_output_that_is_no_text_is_one_piece(app: str, tmp_path: Path) -> None:
    """Its pieces fold to it as well."""
    path = tmp_path / "value.yaml"
    path.write_text(
        "{name: A, input: {n: integer}, output: {twice: '{{ input.n | times: 2 }}', n: '{{ input.n }}'},"
        " steps: {a: {use: ingle/template, input: {text: x}}}}"
    )
    *pieces, last = ingle.stream(str(path), {"n": 2})
    assert isinstance(last, AppOutput)
    assert last.output["n"] == 2
    assert ingle.fold(item for item in pieces if isinstance(item, ingle.Piece)) == {
        "output": last.output
    }


def test_what_is_wrong_is_raised(app: str) -> None:
    """No such app, a wrong input, and a configuration, which apps do not take."""
    with pytest.raises(AppNotFound, match="There is no app 'no'"):
        ingle.run("app/no", {})
    with pytest.raises(InvalidRequest, match="`question` is missing"):
        ingle.run(app, {})
    with pytest.raises(InvalidRequest, match="takes no configuration"):
        ingle.run(app, HELLO, {"temperature": 1})
