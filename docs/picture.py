"""Draws `docs/terminal.svg` from commands that are really run: `python docs/picture.py`.

It uses a home of its own and a free port, written as the usual one.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from rich.console import Console
from rich.text import Text

PICTURE = Path(__file__).parent / "terminal.svg"
WIDTH = 92
USUAL = "127.0.0.1:4645"
COMMANDS = [
    'ingle chat "Who are you?"',
    'ingle run localai/completions --input prompt="Once upon a time" --config max_tokens=48',
    "curl -s localhost:4645/v1/models",
    "ingle processors",
]


def main() -> None:
    """Run the commands and draw what they print."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    with TemporaryDirectory() as home:
        environ = {
            **os.environ,
            "INGLE_HOME": home,
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "COLUMNS": str(WIDTH),
        }
        server = subprocess.Popen(
            ["ingle", "up", "--port", "0", "--no-browser"],
            env=environ,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert server.stdout is not None
        line = server.stdout.readline().strip()
        address = line.rpartition("http://")[2]
        _show(console, "ingle up &", line.replace(address, USUAL))
        for command in COMMANDS:
            done = subprocess.run(  # noqa: S602 -- our own lines, as a person types them
                command.replace("localhost:4645", address),
                shell=True,
                env=environ,
                capture_output=True,
                text=True,
                check=True,
            )
            _show(console, command, done.stdout.strip())
        server.terminate()
        server.wait()
    console.save_svg(str(PICTURE), title="ingle")


def _show(console: Console, command: str, output: str) -> None:
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    console.print(Text(f"{output}\n"))


if __name__ == "__main__":
    main()
