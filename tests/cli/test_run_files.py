"""`ingle run` with files: they go in by their name, and come out as what they are."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

from ingle.testing import Answer, ScriptedUpstream, json_answer, models

Ingle = Callable[..., CompletedProcess[str]]

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 992


def test_text_of_a_file_is_printed(ingle: Ingle, tmp_path: Path) -> None:
    """A field that takes a file reads one of any bytes, and people get its text."""
    (tmp_path / "a.html").write_bytes(b"<html><h1>Caf\xe9</h1>")
    done = ingle("run", "ingle/text_from_file", "--input", f"file=@{tmp_path / 'a.html'}")
    assert (done.returncode, done.stdout, done.stderr) == (0, "# Café\n", "")


def test_missing_file_is_named(ingle: Ingle, tmp_path: Path) -> None:
    """The error says which field it was for."""
    done = ingle("run", "ingle/text_from_file", "--input", f"file=@{tmp_path / 'b.pdf'}")
    assert done.returncode == 2
    assert "b.pdf for `--input file` cannot be read" in " ".join(done.stderr.split())


async def test_sound_is_saved_as_a_file(ingle: Ingle, tmp_path: Path) -> None:
    """Without `--output` it is said what came; with it, the file holds the sound itself."""
    arguments = ["run", "localai/text_to_speech", "--input", "input_text=Hi", "--config"]
    sound = Answer((b"ID3 and so on",), endpoint="audio/speech")
    async with ScriptedUpstream(models("m"), sound) as upstream:
        arguments.append(f"base_url={upstream.url}")
        shown = await asyncio.to_thread(ingle, *arguments)
        saved = await asyncio.to_thread(ingle, *arguments, "-o", str(tmp_path / "a.mp3"))
    assert shown.stdout == "audio/mpeg, 13 B\n"
    assert saved.returncode == 0
    assert (tmp_path / "a.mp3").read_bytes() == b"ID3 and so on"


async def test_all_pictures_are_saved(ingle: Ingle, tmp_path: Path) -> None:
    """Of several pictures, each is a file."""
    (tmp_path / "cat.png").write_bytes(PNG)
    image = {"b64_json": base64.b64encode(PNG).decode()}
    drawn = json_answer({"data": [image, image]}, endpoint="images/variations")
    async with ScriptedUpstream(models("m"), drawn) as upstream:
        done = await asyncio.to_thread(
            ingle,
            *("run", "localai/images_variations", "--input", f"image=@{tmp_path / 'cat.png'}"),
            *("--config", f"base_url={upstream.url}", "-o", str(tmp_path / "new.png")),
        )
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "new.png").read_bytes() == (tmp_path / "new-2.png").read_bytes() == PNG
    assert b'filename="cat.png"' in upstream.requests[-1].body
