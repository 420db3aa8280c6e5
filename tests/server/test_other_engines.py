"""The example of docs/other-engines.md: a server by its command line, asked through `/v1`."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path

import openai
import pytest
from tests.server.conftest import Caller, running, settings_for

from ingle.server.serve import Serving

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def serving(tmp_path_factory: pytest.TempPathFactory) -> Generator[Serving, None, None]:
    """A server whose models folder has the example's files."""
    home = tmp_path_factory.mktemp("other")
    (home / "models").mkdir()
    for name in ("stub.yaml", "stub_server.py"):
        shutil.copy(DOCS / "examples" / name, home / "models")
    with running(settings_for(home)) as serving:
        yield serving


def test_the_page_shows_the_example_as_it_is() -> None:
    """What stands in the documentation is what is tested here."""
    example = (DOCS / "examples" / "stub.yaml").read_text()
    assert f"```yaml\n{example}```" in (DOCS / "other-engines.md").read_text()


def test_it_answers_as_any_model(serving: Serving) -> None:
    """Whole, as a stream, and by a processor; the server is asked by its own name of the model."""
    with openai.OpenAI(base_url=f"{serving.url}/v1", api_key="none", max_retries=0) as client:
        whole = client.chat.completions.create(
            model="stub", messages=[{"role": "user", "content": "ping"}]
        )
        stream = client.chat.completions.create(
            model="stub", messages=[{"role": "user", "content": "ping"}], stream=True
        )
        pieces = [chunk.choices[0].delta.content for chunk in stream]
        listed = [model.id for model in client.models.list()]

    assert whole.choices[0].message.content == "pong"
    assert pieces == ["pong", None]
    assert "stub" in listed

    asked = {
        "input": {"messages": [{"role": "user", "content": "ping"}]},
        "config": {"model": "stub"},
    }
    reply = Caller(serving.url).post("/api/processors/localai/chatgpt/run", asked)
    assert reply.status == 200, reply.json
    assert "pong" in reply.body.decode()


def test_what_it_refuses_is_passed_on(serving: Serving) -> None:
    """An error of the server comes with its own status and words."""
    reply = Caller(serving.url).post("/v1/completions", {"model": "stub", "prompt": "ping"})

    assert (reply.status, reply.error["message"]) == (404, "not found")
