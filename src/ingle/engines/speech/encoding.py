"""Sound from a voice as the bytes of a file, piece by piece, through FFmpeg's libraries (PyAV).

Everything leaves at 24 kHz with one channel, as from OpenAI, where `pcm` has no header to say so.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ingle.errors import EngineError

if TYPE_CHECKING:
    import av

__all__ = ["MEDIA_TYPES", "RATE_HZ", "Encoder", "SoundFormat", "wav_header"]

SoundFormat = Literal["mp3", "opus", "aac", "flac", "wav", "pcm"]

RATE_HZ = 24_000
MEDIA_TYPES: dict[SoundFormat, str] = {
    "mp3": "audio/mpeg",
    "opus": "audio/ogg",
    "aac": "audio/aac",
    "flac": "audio/flac",
    "wav": "audio/wav",
    "pcm": "audio/pcm",
}

_SAMPLE_BYTES = 2
_UNKNOWN = 0xFFFFFFFF
_PIECE_SAMPLES = 4096  # of a voice that hands over a sentence at once


@dataclass(frozen=True, slots=True)
class _Packing:
    """FFmpeg's names: what it writes and how it encodes."""

    container: str
    codec: str
    bits_a_second: int | None = None
    options: tuple[tuple[str, str], ...] = ()
    codec_options: tuple[tuple[str, str], ...] = ()


# A page of ogg holds a second unless told otherwise, and a listener would wait for it.
_PAGES = (("page_duration", "100000"),)
# LAME's quickest ways: its usual ones take 2.5 times as long.
_QUICK = (("compression_level", "9"),)
_PACKINGS: dict[SoundFormat, _Packing] = {
    "mp3": _Packing("mp3", "libmp3lame", 64_000, codec_options=_QUICK),
    "opus": _Packing("ogg", "libopus", 32_000, _PAGES),
    "aac": _Packing("adts", "aac", 64_000),
    "flac": _Packing("flac", "flac"),
    "wav": _Packing("s16le", "pcm_s16le"),  # its header is ours
    "pcm": _Packing("s16le", "pcm_s16le"),
}


def wav_header(sound_bytes: int | None) -> bytes:
    """The 44 bytes before so many bytes of sound; None is a length that is not known yet.

    Source: Microsoft's Multimedia Programming Interface and Data Specifications 1.0, and OpenAI's
    streamed answers for the length that is not known.
    """
    riff = _UNKNOWN if sound_bytes is None else sound_bytes + 36
    data = _UNKNOWN if sound_bytes is None else sound_bytes
    rates = (RATE_HZ, RATE_HZ * _SAMPLE_BYTES, _SAMPLE_BYTES, 8 * _SAMPLE_BYTES)
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, *rates)
    return struct.pack("<4sI4s", b"RIFF", riff, b"WAVE") + form + struct.pack("<4sI", b"data", data)


class Encoder:
    """Turns mono samples of 16 bits into a format. It blocks, for far less time than they last.

    `tempo` 2 makes the sound half as long at the same pitch. Headers of `wav` are left to who
    knows the length.
    """

    def __init__(self, form: SoundFormat, rate_hz: int, tempo: float = 1.0) -> None:
        import av

        self._av = av
        self._rate_hz = rate_hz
        self._sink = _Sink()
        self._filled = 0
        packing = _PACKINGS[form]
        self._container = av.open(
            self._sink, "w", format=packing.container, options=dict(packing.options)
        )
        stream = self._container.add_stream(
            packing.codec, rate=RATE_HZ, layout="mono", options=dict(packing.codec_options)
        )
        assert isinstance(stream, av.AudioStream), "each codec above is of sound"
        if packing.bits_a_second:
            stream.bit_rate = packing.bits_a_second
        self._stream = stream
        self._graph = _graph(rate_hz, tempo, stream.codec_context.format.name)

    def add(self, sound: bytes) -> bytes:
        """What is ready of the file after more sound; may be nothing yet.

        Raises:
            EngineError: FFmpeg failed.
        """
        step = _PIECE_SAMPLES * _SAMPLE_BYTES
        for start in range(0, len(sound), step):
            self._push(sound[start : start + step])
        return self._sink.take()

    def end(self) -> bytes:
        """The rest of the file.

        Raises:
            EngineError: FFmpeg failed.
        """
        try:
            self._graph.push(None)
            self._drain()
            self._container.mux(self._stream.encode(None))
            self._container.close()
        except self._av.FFmpegError as error:
            raise _failed(error) from error
        return self._sink.take()

    def _push(self, sound: bytes) -> None:
        frame = self._av.AudioFrame(
            format="s16", layout="mono", samples=len(sound) // _SAMPLE_BYTES
        )
        frame.sample_rate = self._rate_hz
        frame.pts = self._filled
        self._filled += frame.samples
        plane = frame.planes[0]
        plane.update(sound.ljust(plane.buffer_size, b"\0"))
        try:
            self._graph.push(frame)
            self._drain()
        except self._av.FFmpegError as error:
            raise _failed(error) from error

    def _drain(self) -> None:
        while True:
            try:
                frame = self._graph.pull()
            except (self._av.BlockingIOError, self._av.EOFError):
                return
            assert isinstance(frame, self._av.AudioFrame), "the graph is of sound"
            self._container.mux(self._stream.encode(frame))


class _Sink:
    """A file that is only written, and whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._bytes = bytearray()

    def write(self, data: bytes) -> int:
        self._bytes += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._bytes)
        self._bytes.clear()
        return taken


def _graph(rate_hz: int, tempo: float, sample_format: str) -> av.filter.Graph:
    """From the voice's samples to the encoder's, stretched on the way."""
    import av.filter

    graph = av.filter.Graph()
    nodes = [graph.add_abuffer(format="s16", sample_rate=rate_hz, layout="mono")]
    while tempo < 1.0 or tempo > 1.0:
        part = min(max(tempo, 0.5), 2.0)  # a filter does no more without leaving samples out
        nodes.append(graph.add("atempo", f"{part:.6f}"))
        tempo = round(tempo / part, 6)
    wanted = f"sample_rates={RATE_HZ}:sample_fmts={sample_format}:channel_layouts=mono"
    nodes += [graph.add("aformat", wanted), graph.add("abuffersink")]
    graph.link_nodes(*nodes).configure()
    return graph


def _failed(error: Exception) -> EngineError:
    return EngineError(
        f"FFmpeg could not encode the speech: {error}. Ask for another `response_format`, such as "
        "wav."
    )
