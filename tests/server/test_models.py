"""`/v1/models`."""

from __future__ import annotations

import shutil
from importlib.resources import files
from pathlib import Path

import openai
import pytest
from tests.server.conftest import Caller


@pytest.mark.parametrize("path", ["/v1/models", "/models", "/v1/models/"])
def test_the_models_are_listed_with_and_without_a_prefix(call: Caller, path: str) -> None:
    """As LocalAI does it."""
    answer = call("GET", path).json
    assert answer["object"] == "list"
    assert {"id": "demo", "object": "model", "owned_by": "local"}.items() <= answer["data"][
        0
    ].items()


@pytest.mark.parametrize("name", ["demo", "local/demo"])
def test_one_model_is_shown_by_any_of_its_names(client: openai.OpenAI, name: str) -> None:
    """A name may hold a slash."""
    assert client.models.retrieve(name).id == name


def test_a_model_that_is_not_there_is_named(client: openai.OpenAI) -> None:
    """With those that are."""
    with pytest.raises(openai.NotFoundError, match="demo") as raised:
        client.models.retrieve("localai/nope")
    assert raised.value.code == "model_not_found"


def test_the_demo_model_stays(client: openai.OpenAI) -> None:
    """It is a part of Ingle."""
    with pytest.raises(openai.PermissionDeniedError, match="part of Ingle"):
        client.models.delete("demo")


def test_an_installed_model_is_removed_while_its_engine_runs(
    client: openai.OpenAI, served_home: Path
) -> None:
    """Its engine is stopped first; afterwards it is not found."""
    folder = served_home / "models"
    folder.mkdir(exist_ok=True)
    demo = files("ingle") / "models" / "demo" / "chat.gguf"
    shutil.copy(str(demo), folder / "twin.gguf")
    answer = client.chat.completions.create(
        model="twin", messages=[{"role": "user", "content": "hi"}], max_tokens=1
    )
    assert answer.model == "twin"
    assert client.models.delete("twin").deleted is True
    assert not (folder / "twin.gguf").exists()
    with pytest.raises(openai.NotFoundError):
        client.models.retrieve("twin")


def test_a_damaged_model_is_told_and_the_others_go_on(call: Caller, served_home: Path) -> None:
    """A file that was cut short: what is wrong with it, in OpenAI's shape."""
    folder = served_home / "models"
    folder.mkdir(exist_ok=True)
    demo = files("ingle") / "models" / "demo" / "chat.gguf"
    (folder / "torn.gguf").write_bytes(demo.read_bytes()[:1_000_000])
    asked = {"messages": [{"role": "user", "content": "hi"}], "max_tokens": 1}
    torn = call.post("/v1/chat/completions", {**asked, "model": "torn"})
    assert (torn.status, torn.error["code"]) == (500, "model_file_invalid")
    assert "torn.gguf" in torn.error["message"]
    assert call.post("/v1/chat/completions", asked).status == 200
    assert call("DELETE", "/v1/models/torn").status == 200


def test_a_name_never_becomes_a_path(call: Caller, served_home: Path) -> None:
    """Whatever is in it."""
    (served_home / "outside.gguf").touch()
    for name in ("../outside", "..%2Foutside", "%2e%2e/outside", "a%00b"):
        assert call("DELETE", f"/v1/models/{name}").status == 404
    assert (served_home / "outside.gguf").exists()
    asked = {"model": "../outside", "messages": [{"role": "user", "content": "hi"}]}
    assert call.post("/v1/chat/completions", asked).error["code"] == "model_not_found"
