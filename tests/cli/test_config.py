"""`ingle config`: what is set, where, and changing it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

Ingle = Callable[..., CompletedProcess[str]]


def test_list_shows_each_value_and_where_it_came_from(
    ingle: Ingle, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Defaults, the file and the environment are told apart, and keys are masked."""
    home.mkdir()
    (home / "config.yaml").write_text("slots: 8\n")
    monkeypatch.setenv("INGLE_PORT", "5000")
    monkeypatch.setenv("LOCALAI_BASE_URL", "http://localhost:8080")
    monkeypatch.setenv("LOCALAI_API_KEY", "sk-a-long-secret-1234")
    rows = {line.split()[0]: line.split()[1:] for line in ingle("config").stdout.splitlines()}
    assert rows["SETTING"] == ["VALUE", "FROM"]
    assert rows["host"] == ["127.0.0.1", "default"]
    assert rows["threads"] == ["-", "default"]
    assert rows["slots"] == ["8", "file", f"{home}/config.yaml", "line", "1"]
    assert rows["port"] == ["5000", "environment", "INGLE_PORT"]
    assert rows["connections.localai.api_key"] == ["…1234", "environment", "LOCALAI_API_KEY"]


def test_list_and_get_speak_json(ingle: Ingle) -> None:
    """A program gets each setting's value, source, meaning and variable."""
    port = {
        "name": "port",
        "value": "4645",
        "source": "default",
        "description": "The TCP port to listen on; 0 takes any free one.",
        "variable": "INGLE_PORT",
    }
    assert port in json.loads(ingle("config", "--json").stdout)
    assert port in json.loads(ingle("config", "list", "--json").stdout)
    assert json.loads(ingle("config", "get", "port", "--json").stdout) == port


def test_set_changes_the_file_and_unset_undoes_it(ingle: Ingle, home: Path) -> None:
    """A value that was set holds from the next command on, until it is unset."""
    done = ingle("config", "set", "port", "5001")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith(f"port is set in {home}/config.yaml.")
    assert ingle("config", "get", "port").stdout == "5001\n"
    assert ingle("config", "unset", "port").returncode == 0
    assert ingle("config", "get", "port").stdout == "4645\n"
    assert ingle("config", "path").stdout == f"{home}/config.yaml\n"


def test_set_says_if_something_else_decides(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who sets in the file what the environment overrides is told so."""
    monkeypatch.setenv("INGLE_SLOTS", "2")
    done = ingle("config", "set", "slots", "6")
    assert "But environment INGLE_SLOTS decides." in done.stderr
    assert ingle("config", "get", "slots").stdout == "2\n"


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["set", "port", "many"], "port"),
        (["set", "prot", "5000"], "Did you mean `port`?"),
        (["set", "home", "/elsewhere"], "Set INGLE_HOME instead."),
        (["set", "connections.localai.api_key", "sk-1"], "Use `ingle connections`."),
        (["unset", "prot"], "prot"),
    ],
)
def test_wrong_setting_changes_nothing(
    ingle: Ingle, home: Path, args: list[str], message: str
) -> None:
    """A wrong name or value is refused before the file is touched."""
    done = ingle("config", *args)
    assert (done.returncode, done.stdout) == (3, "")
    assert message in done.stderr
    assert not (home / "config.yaml").exists()
