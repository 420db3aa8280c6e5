"""The fields of a manifest for a model that some other server runs, and what they come to.

    engine: command
    command: [vllm, serve, Qwen/Qwen3-32B, --port, "{port}"]
    environment: {VLLM_API_KEY: "{key}"}
    memory: 24GiB

See docs/other-engines.md. It knows nothing about how the command is run.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field, StringConstraints

from ingle.errors import ConfigurationError
from ingle.settings.values import Bytes, Seconds

__all__ = ["CommandFields", "CommandOptions"]

_START_S = 600.0  # such servers load tens of gigabytes, and some compile for a minute then
_HEALTH = ("/health", "/v1/models")
_OWN_VARIABLES = ("INGLE_", "LOCALAI_")

Argument = Annotated[str, StringConstraints(max_length=64 * 1024, pattern=r"^[^\x00]*$")]
VariableName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
HealthPath = Annotated[str, StringConstraints(pattern=r"^/[!-~]*$", max_length=1024)]


def _words(value: object) -> object:
    """A command's words: a text is parted as a shell would, which never sees it; `8` may be bare."""
    if isinstance(value, str):
        return shlex.split(value)
    if isinstance(value, list):
        return [str(word) if type(word) in (int, float) else word for word in value]
    return value


def _program_first(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value or not value[0]:
        raise ValueError("a command begins with a program, such as [vllm, serve, MODEL]")
    return value


def _others(value: dict[str, str]) -> dict[str, str]:
    if own := [name for name in value if name.upper().startswith(_OWN_VARIABLES)]:
        raise ValueError(f"settings of Ingle's, such as {own[0]}, are not for other programs")
    return value


Command = Annotated[
    tuple[Argument, ...],
    BeforeValidator(_words),
    AfterValidator(_program_first),
    Field(max_length=512),
]
Environment = Annotated[dict[VariableName, Argument], AfterValidator(_others)]


@dataclass(frozen=True, slots=True)
class CommandOptions:
    """How a server is run for a model. Two that are equal may share it.

    In `command` and in the values of `environment`, `{port}`, `{key}` and `{file}` stand for what is
    known at its start. The server is ready when the first of the paths in `health` that it has
    answers well. `serves` is its own name of the model.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)  # may hold keys of others
    health: tuple[str, ...]
    serves: str
    memory_bytes: int
    start_s: float


class CommandFields(BaseModel):
    """What a manifest may say of a model that another server runs; see `CommandOptions`."""

    command: Command | None = None
    environment: Environment = {}
    health: HealthPath | None = None
    serves: Annotated[str, StringConstraints(min_length=1, max_length=512)] | None = None
    memory: Bytes | None = None
    start_s: Seconds | None = None

    def command_options(self, name: str, file: Path | None) -> CommandOptions:
        """What the fields come to for the model `name`; `file` is its file, if it has one.

        Raises:
            ConfigurationError: one that has to be there is missing.
        """
        if self.command is None:
            raise _lacks(name, "command", "Name the server's program and its arguments there")
        if self.memory is None:
            raise _lacks(
                name,
                "memory",
                "Nothing else tells what of the memory for engines it takes; write such as "
                "`memory: 24GiB`, of the machine's own memory, not the GPU's",
            )
        texts = (*self.command, *self.environment.values())
        if not any("{port}" in text for text in texts):
            raise _lacks(
                name, "{port}", "Ingle chooses the port; hand it on, such as in `--port {port}`"
            )
        if file is None and any("{file}" in text for text in texts):
            raise _lacks(name, "file", "`{file}` stands for the file that it names")
        return CommandOptions(
            command=self.command,
            environment=self.environment,
            health=_HEALTH if self.health is None else (self.health,),
            serves=self.serves or name,
            memory_bytes=self.memory,
            start_s=self.start_s or _START_S,
        )


def _lacks(name: str, what: str, advice: str) -> ConfigurationError:
    return ConfigurationError(
        f"The manifest of the model {name!r} says `engine: command` and lacks `{what}`. {advice}. "
        "docs/other-engines.md has examples."
    )
