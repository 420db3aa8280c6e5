"""`import ingle`: the processors in any program, with no server and one engine a process."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import ingle
from ingle.errors import EngineCrashed, UnsupportedInput
from ingle.processors.base import Output
from ingle.testing.tiny_model import write_model
from ingle.testing.tiny_parts import PICTURE_TOKENS, picture_url, write_projector

CHAT = "localai/chatgpt"
HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
STORY = {"prompt": "Once upon a time"}

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="counts children in /proc")


Engines = Callable[[], list[int]]


@pytest.fixture(autouse=True)
def engines() -> Iterator[Engines]:
    """The process ids of the engines that the test has started; none may be left at its end."""
    before = set(_engines())

    def own() -> list[int]:
        return [pid for pid in _engines() if pid not in before]

    yield own
    ingle.close()
    assert own() == []


def _engines() -> list[int]:
    pids = []
    for task in Path("/proc/self/task").iterdir():
        with suppress(OSError):  # a thread or a child that has ended meanwhile
            pids += [int(pid) for pid in (task / "children").read_text().split() if _is_engine(pid)]
    return pids


def _is_engine(pid: str) -> bool:
    return b"ingle.engines.llama" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_run_gives_the_typed_output() -> None:
    """`ingle.run` answers from the demo model, with the fields that the seed promises."""
    output = ingle.run(CHAT, HELLO, {"temperature": 0}).model_dump()
    assert [message["role"] for message in output["choices"]] == ["assistant"]
    assert output["choices"][0]["content"]
    assert output["_api_response"]["model"] == "demo"


def test_stream_ends_with_the_output_that_its_pieces_fold_to() -> None:
    """Folding the pieces of `ingle.stream` gives the output, which comes last and once."""
    *pieces, output = ingle.stream("localai/completions", STORY, {"max_tokens": 20})
    assert isinstance(output, Output)
    assert len(pieces) > 1
    assert ingle.fold(item for item in pieces if isinstance(item, ingle.Piece)) == (
        output.model_dump()
    )


def test_threads_and_event_loops_share_one_engine(engines: Engines) -> None:
    """Synchronous calls in threads and asynchronous ones on other loops start one engine."""
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: ingle.run(CHAT, HELLO, {"max_tokens": 4}), range(4)))
    answers += [asyncio.run(ingle.arun(CHAT, HELLO, {"max_tokens": 4})) for _ in range(2)]
    assert len(answers) == 6
    assert len(engines()) == 1


async def test_leaving_a_stream_early_leaves_nothing_behind() -> None:
    """A stream that is closed after its first pieces gives its lease back; others go on."""
    stream = ingle.astream("localai/completions", STORY, {"max_tokens": 2000})
    async for item in stream:
        assert not isinstance(item, Output)
        if isinstance(item, ingle.Piece) and item.text:
            break
    await stream.aclose()
    assert isinstance(await ingle.arun(CHAT, HELLO, {"max_tokens": 4}), Output)


async def test_a_killed_engine_is_named_and_is_back_at_the_next_call(engines: Engines) -> None:
    """SIGKILL of the engine ends the call with EngineCrashed, and the next call works."""
    stream = ingle.astream("localai/completions", STORY, {"max_tokens": 2000})
    await anext(stream)
    os.kill(engines()[0], signal.SIGKILL)
    with pytest.raises(EngineCrashed, match=r"SIGKILL|signal 9"):
        async for _ in stream:
            pass
    assert isinstance(await ingle.arun(CHAT, HELLO, {"max_tokens": 4}), Output)


def test_an_error_of_opening_reaches_the_caller(home: Path) -> None:
    """A home that cannot be used is an IngleError in the calling thread, and no thread stays."""
    home.write_text("a file where the folder should be")
    with pytest.raises(ingle.IngleError, match=r"INGLE_HOME"):
        ingle.run(CHAT, HELLO)
    assert "ingle" not in {thread.name for thread in threading.enumerate()}
    home.unlink()


def test_close_is_for_good_until_the_next_call(engines: Engines) -> None:
    """After `close` no engine runs; closing again does nothing; a new call opens anew."""
    ingle.run(CHAT, HELLO, {"max_tokens": 2})
    ingle.close()
    ingle.close()
    assert engines() == []
    ingle.run(CHAT, HELLO, {"max_tokens": 2})
    assert len(engines()) == 1


def test_what_a_manifest_says_holds_for_processors(home: Path) -> None:
    """The system prompt comes first, a picture is read, and one elsewhere is not fetched."""
    folder = home / "models"
    folder.mkdir(parents=True)
    write_model(folder / "seeing.gguf")
    write_projector(folder / "eyes.gguf")

    def tokens(manifest: str, *parts: dict[str, object]) -> int:
        (folder / "seeing.yaml").write_text(f"projector: eyes.gguf\n{manifest}")
        ingle.close()
        content = [{"type": "text", "text": "Hello!"}, *parts]
        chat = {"messages": [{"role": "user", "content": content}]}
        output = ingle.run(CHAT, chat, {"model": "seeing", "max_tokens": 1})
        count: int = output.model_dump()["_api_response"]["usage"]["prompt_tokens"]
        return count

    def picture(url: str) -> dict[str, object]:
        return {"type": "image_url", "image_url": {"url": url}}

    plain = tokens("")
    assert (
        tokens("parameters: {system_prompt: Be brief.}\n") == plain + len("system\nBe brief.\n") + 2
    )
    assert tokens("", picture(picture_url(255, 0, 0))) > plain + PICTURE_TOKENS
    with pytest.raises(UnsupportedInput, match=r"'http://127\.0\.0\.1:9/x\.png' is not fetched"):
        tokens("", picture("http://127.0.0.1:9/x.png"))
