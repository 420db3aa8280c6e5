"""`ingle doctor`: finds what is wrong, and says what to do."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from ingle.cli.check import Check
from ingle.cli.ingle_checks import check_ingle
from ingle.cli.machine import owner_of_port
from ingle.settings import load_settings
from ingle.testing import ScriptedUpstream, models

Ingle = Callable[..., CompletedProcess[str]]


@pytest.fixture(autouse=True)
def free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is free on any machine, whatever else runs there."""
    monkeypatch.setenv("INGLE_PORT", "0")


def found(name: str) -> Check:
    """What the doctor finds of this name, with the settings as they are."""
    return next(check for check in check_ingle(load_settings()) if check.name == name)


def test_all_is_well_here(ingle: Ingle, home: Path) -> None:
    """On a new machine nothing fails, nothing is made, and each line says what was found."""
    done = ingle("doctor")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[0].split() == ["CHECK", "FOUND"]
    checks = json.loads(ingle("doctor", "--json").stdout)
    names = [check["name"] for check in checks]
    assert [name for name in names if name != "extras"] == [
        *["ingle", "llama.cpp", "gpu", "memory"],
        *["data folder", "disk", "port", "models", "database"],
    ]
    assert {check["state"] for check in checks} <= {"ok", "warn"}
    assert not home.exists()


def test_wrong_setting_is_a_failed_check(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A setting that is wrong is told among the rest, and the exit code is 1."""
    monkeypatch.setenv("INGLE_SLOTS", "none")
    done = ingle("doctor", "--json")
    assert done.returncode == 1
    last = json.loads(done.stdout)[-1]
    assert (last["name"], last["state"]) == ("settings", "fail")
    assert "INGLE_SLOTS" in last["finding"]


async def test_taken_port_is_told_with_who_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another program on the port is a warning that names its process."""
    async with await asyncio.start_server(_hang_up, "127.0.0.1", 0) as taken:
        port = taken.sockets[0].getsockname()[1]
        monkeypatch.setenv("INGLE_PORT", str(port))
        check = await asyncio.to_thread(found, "port")
    assert check.state == "warn"
    assert check.finding.startswith(f"Another program listens on 127.0.0.1:{port} already.")
    assert f"(process {os.getpid()})" in check.finding
    assert owner_of_port(port) is None


def _hang_up(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.close()


def test_damaged_files_are_told(home: Path) -> None:
    """A model's file that is cut short, and a database that is none, are named."""
    (home / "models").mkdir(parents=True)
    (home / "models" / "half.gguf").write_bytes(b"GGUF")
    (home / "ingle.db").write_bytes(b"This is not a database. " * 100)
    checks = {(check.name, check.state): check for check in check_ingle(load_settings())}
    assert "half.gguf" in checks["models", "warn"].finding
    assert "ingle.db" in checks["database", "fail"].finding


def test_missing_default_model_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A default model that is not installed fails before anyone asks it."""
    monkeypatch.setenv("INGLE_DEFAULT_MODEL", "nope")
    assert found("default model").state == "fail"


def test_folder_that_cannot_be_made_is_told(
    ingle: Ingle, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home folder below a file cannot be used."""
    (tmp_path / "file").touch()
    monkeypatch.setenv("INGLE_HOME", str(tmp_path / "file" / "home"))
    done = ingle("doctor")
    assert done.returncode == 1
    assert "set INGLE_HOME to another folder" in done.stdout


async def test_connections_are_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each connection is called; one that does not answer is a warning, not a failure."""
    async with ScriptedUpstream(models("tiny")) as upstream:
        monkeypatch.setenv("LOCALAI_BASE_URL", upstream.url)
        monkeypatch.setenv("INGLE_CONNECTION_GONE_BASE_URL", "http://127.0.0.1:1")
        checks = await asyncio.to_thread(lambda: list(check_ingle(load_settings())))
    told = {check.name: check for check in checks}
    assert told["connection localai"].state == "ok"
    assert told["connection localai"].finding == f"{upstream.url}/v1: a list of 1 model"
    assert told["connection gone"].state == "warn"
    assert "no connection" in told["connection gone"].finding


def test_a_build_that_is_not_used_is_told(ingle: Ingle, home: Path) -> None:
    """A build of llama.cpp that does not fit is a warning with its reason; removing it ends that."""
    (home / "llama").mkdir(parents=True)
    (home / "llama" / "native.json").write_text("{}")
    told = {check["name"]: check for check in json.loads(ingle("doctor", "--json").stdout)}
    assert told["llama.cpp build"]["state"] == "warn"
    assert "its record" in told["llama.cpp build"]["finding"]
    assert told["llama.cpp"]["state"] == "ok"

    done = ingle("doctor", "--remove-build")
    assert (done.returncode, done.stdout) == (0, "")
    assert "Removed." in done.stderr
    assert not (home / "llama").exists()
    assert "There is no build" in ingle("doctor", "--remove-build").stderr


def test_building_without_a_compiler_says_what_to_install(
    ingle: Ingle, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The error comes at once, and nothing is made."""
    monkeypatch.setenv("CXX", "no-such-compiler")
    done = ingle("doctor", "--build")
    assert done.returncode == 6
    assert "There is no C++ compiler to build llama.cpp with (looked for no-such-compiler)" in (
        done.stderr
    )
    assert not home.exists()
