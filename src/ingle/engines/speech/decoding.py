"""A file of sound as samples, whatever format it has, through FFmpeg's libraries (PyAV)."""

from __future__ import annotations

import io
from array import array
from collections.abc import Callable
from typing import TypeAlias

from ingle.errors import InvalidRequest

__all__ = ["RATE_HZ", "Sound", "read_sound"]

Sound: TypeAlias = "array[float]"
"""Mono samples of 32 bits between -1 and 1, `RATE_HZ` of them a second."""

RATE_HZ = 16_000  # what Whisper hears
LONGEST_S = 2 * 3600  # 460 MB of samples

_FORMATS = "wav,w64,aiff,caf,au,flac,mp3,ogg,aac,mov,mp4,m4a,3gp,matroska,webm,amr,mpeg,mpegts"
"""Formats that hold sound themselves. FFmpeg has others, such as playlists, which make it open
files of this machine and addresses of the network that a stranger names."""


def read_sound(file: bytes, is_unwanted: Callable[[], bool] = lambda: False) -> Sound:
    """The first track of sound of a file. Blocks; `is_unwanted` is asked often and ends it early.

    Raises:
        InvalidRequest: it is no sound that can be read, is empty, or is too long; `param` is
            `file`.
    """
    import av

    sound: Sound = array("f")
    try:
        options = {"format_whitelist": _FORMATS, "protocol_whitelist": ""}
        with av.open(io.BytesIO(file), "r", options=options) as container:
            if not container.streams.audio:
                raise InvalidRequest(
                    "The file has no track of sound. Send one that has.", param="file"
                )
            resampler = av.AudioResampler(format="flt", layout="mono", rate=RATE_HZ)
            for decoded in container.decode(audio=0):
                for frame in resampler.resample(decoded):
                    sound.frombytes(bytes(frame.planes[0])[: 4 * frame.samples])
                if is_unwanted():
                    return sound
                if len(sound) > LONGEST_S * RATE_HZ:
                    raise InvalidRequest(
                        f"The file has more than {LONGEST_S // 3600} hours of sound. Cut it into "
                        "parts.",
                        param="file",
                    )
            for frame in resampler.resample(None):
                sound.frombytes(bytes(frame.planes[0])[: 4 * frame.samples])
    except (av.FFmpegError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise InvalidRequest(
            f"The file of {len(file):,} bytes cannot be read as sound: {reason}. Send wav, mp3, "
            "flac, ogg, m4a, mp4 or webm.",
            param="file",
        ) from error
    if not sound:
        raise InvalidRequest("The file holds no sound: it is silent for 0 s.", param="file")
    return sound
