"""The command as a whole: its help, how it fails, and what it leaves to the terminal."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from subprocess import CompletedProcess

import pytest

from ingle.cli.app import app
from ingle.cli.failures import explain
from ingle.errors import UpstreamCut

Ingle = Callable[..., CompletedProcess[str]]

HEAVY = [
    "aiohttp",
    "asyncio",
    "alembic",
    "cryptography",
    "fastapi",
    "pydantic",
    "rich",
    "sqlalchemy",
]


def test_help_lists_the_verbs_and_loads_nothing_heavy() -> None:
    """`ingle --help` needs no library that takes time to import."""
    code = (
        "import sys; from ingle.cli import main; code = main(['--help']);"
        f"print([name for name in {HEAVY} if name in sys.modules]); sys.exit(code)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    verbs = ["up", "chat", "run", "processors", "models", "connections", "config", "keys", "doctor"]
    listed = [line.split()[0] for line in done.stdout.splitlines() if line.startswith("  ")]
    assert [verb for verb in listed if verb in verbs] == verbs
    assert done.stdout.endswith("\n[]\n")
    assert done.stderr == ""


@pytest.mark.parametrize("args", [[], ["-h"], ["--help"]])
def test_no_verb_shows_the_help(ingle: Ingle, args: list[str]) -> None:
    """`ingle` alone says what it can do, and that is no error."""
    done = ingle(*args)
    assert done.returncode == 0
    assert done.stdout.startswith("Usage: ingle [OPTIONS] COMMAND [ARGS]...\n")


def test_version_is_printed(ingle: Ingle) -> None:
    """`ingle --version` is one line."""
    from ingle import __version__

    assert ingle("--version").stdout == f"ingle {__version__}\n"


def test_every_verb_has_help_that_fits(ingle: Ingle) -> None:
    """No verb is described by a sentence that is cut short in the list, and each has its own."""
    assert "..." not in ingle("--help").stdout.replace("[ARGS]...", "")
    for command in app.registered_commands:
        assert command.name is not None
        assert ingle(command.name, "--help").returncode == 0


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["modles"], "No such command 'modles'. Did you mean 'models'? `ingle --help` shows"),
        (["run"], "Missing argument 'APP|PROCESSOR'. `ingle run --help` shows"),
        (["config", "get"], "Missing argument 'NAME'. `ingle config get --help` shows"),
        (["up", "--port", "abc"], "Invalid value for '--port': "),
    ],
)
def test_wrong_usage_is_one_line_with_the_way_to_help(
    ingle: Ingle, args: list[str], message: str
) -> None:
    """Arguments that cannot be understood end with code 2 and what to type."""
    done = ingle(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"error: {message}")
    assert done.stderr.count("\n") == 1


def test_error_is_json_on_stderr_for_programs(ingle: Ingle) -> None:
    """With `--json` an error is one object on stderr, and stdout stays empty."""
    done = ingle("config", "get", "prot", "--json")
    assert (done.returncode, done.stdout) == (3, "")
    assert json.loads(done.stderr) == {
        "error": {
            "code": "invalid_configuration",
            "message": "There is no setting 'prot'. Did you mean 'port'? "
            "`ingle config` lists them all.",
            "is_retryable": False,
        }
    }


def test_json_after_two_dashes_is_no_option(ingle: Ingle) -> None:
    """`--json` that is an argument, not an option, does not change how an error is told."""
    assert ingle("config", "get", "--", "--json").stderr.startswith("error: There is no setting")


def test_error_of_a_server_says_what_it_answered() -> None:
    """A program gets the URL, the status, the server's words and what had arrived."""
    error = UpstreamCut(
        "The answer was cut.", url="http://localhost/v1", status=200, partial="Once upon"
    )
    failure = explain(error)
    assert failure.exit_code == 7
    assert json.loads(failure.as_json()) == {
        "error": {
            "code": "upstream_cut",
            "message": "The answer was cut.",
            "is_retryable": False,
            "url": "http://localhost/v1",
            "status": 200,
            "partial": "Once upon",
        }
    }


def test_unforeseen_error_is_one_line(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fault of Ingle itself is told in one line; the debug log level adds where it came from."""
    failure = explain(ValueError("no such thing"))
    assert failure.exit_code == 70
    assert failure.message == (
        "Ingle itself is at fault: ValueError: no such thing. Run it again with "
        "`INGLE_LOG_LEVEL=debug` to see where, and please report it."
    )
    assert capsys.readouterr().err == ""
    monkeypatch.setenv("INGLE_LOG_LEVEL", "debug")
    explain(ValueError("no such thing"))
    assert capsys.readouterr().err == "ValueError: no such thing\n"


def test_bad_setting_stops_every_verb(ingle: Ingle, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting is an error with its place, never a default."""
    monkeypatch.setenv("INGLE_PORT", "many")
    done = ingle("models")
    assert done.returncode == 3
    assert "INGLE_PORT" in done.stderr


def test_reader_that_leaves_is_no_error() -> None:
    """`ingle config | head -0` is silent."""
    reading, writing = os.pipe()
    os.close(reading)
    with subprocess.Popen(
        [sys.executable, "-m", "ingle", "config"], stdout=writing, stderr=subprocess.PIPE, text=True
    ) as process:
        os.close(writing)
        _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (1, "")


def test_pipe_gets_utf8_whatever_the_locale() -> None:
    """Text that a locale cannot write still reaches a file, as UTF-8."""
    environ = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    code = (
        "from ingle.cli.terminal import use_utf8, write, print_json; use_utf8();"
        "write('\\xe9\\u2026\\n'); print_json('\\xe9')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, env=environ)
    assert done.stdout.decode() == 'é…\n"é"\n', done.stderr


@pytest.mark.parametrize(
    ("environ", "is_coloured"), [({}, True), ({"NO_COLOR": "1"}, False)], ids=["plain", "NO_COLOR"]
)
def test_errors_have_colour_on_terminals_only(environ: dict[str, str], is_coloured: bool) -> None:
    """A terminal gets a red word, unless NO_COLOR is set."""
    terminal, its_end = os.openpty()
    try:
        subprocess.run(
            [sys.executable, "-m", "ingle", "config", "get", "prot"],
            stderr=its_end,
            env=os.environ | {"TERM": "xterm-256color"} | environ,
            timeout=30,
        )
        told = os.read(terminal, 4096).decode()
    finally:
        os.close(terminal)
        os.close(its_end)
    assert "error:" in told
    assert ("\x1b[1;31m" in told) == is_coloured


def test_shell_completes_verbs_and_settings() -> None:
    """The completion that a shell calls knows verbs, options and settings' names."""
    environ = os.environ | {"_INGLE_COMPLETE": "complete_bash"}

    def complete(words: str) -> list[str]:
        asked = {"COMP_WORDS": words, "COMP_CWORD": str(len(words.split()) - 1)}
        done = subprocess.run(
            [sys.executable, "-m", "ingle"], capture_output=True, text=True, env=environ | asked
        )
        return done.stdout.split()

    assert complete("ingle co") == ["connections", "config"]
    assert complete("ingle config get por") == ["port"]
