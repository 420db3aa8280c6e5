"""How much each key may still ask for this minute, counted in this process's memory.

A key's requests, and its tokens, each have a bucket: it holds a minute's worth, fills evenly, and
what is asked for is taken out. A request goes in while the bucket of tokens has any left; what its
answer took is known only after it and taken out then, so that the bucket may go below empty, and
the next request waits for longer. The headers are OpenAI's:
https://platform.openai.com/docs/guides/rate-limits#rate-limits-in-headers (2025).
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

from ingle.errors import RateLimited
from ingle.server.asgi import Headers
from ingle.storage.api_keys import ApiKey

__all__ = ["Rates"]

_MINUTE_S = 60.0


class Rates:
    """The buckets of every key that has a rate limit; for one event loop. `clock` counts seconds."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._requests: dict[str, _Bucket] = {}
        self._tokens: dict[str, _Bucket] = {}

    def admit(self, key: ApiKey) -> None:
        """Let one request of this key in, and take it from what the key may ask for.

        Raises:
            RateLimited: its requests or tokens of this minute are used up; nothing was taken.
        """
        requests, tokens = self._buckets(key)
        now_s = self._clock()
        for bucket, what in ((requests, "requests"), (tokens, "tokens")):
            if bucket is not None and (wait_s := bucket.wait_s(now_s)) > 0:
                raise RateLimited(
                    f"The API key {key.name!r} may use {bucket.per_minute:,} {what} a minute, and "
                    f"they are used up. Try again in {math.ceil(wait_s)} s, or have "
                    f"`{what}_per_minute` raised.",
                    retry_after_s=wait_s,
                )
        if requests is not None:
            requests.left -= 1

    def spend(self, key_id: str, tokens: int) -> None:
        """Take the tokens of an answer to a key; of one that was never let in there is no bucket."""
        bucket = self._tokens.get(key_id)
        if bucket is not None:
            bucket.fill(self._clock())
            bucket.left -= tokens

    def headers(self, key: ApiKey) -> Headers:
        """What this key may use a minute, what is left of it, and when all of it is there again."""
        found: Headers = []
        now_s = self._clock()
        for bucket, what in zip(self._buckets(key), (b"requests", b"tokens"), strict=True):
            if bucket is not None:
                bucket.fill(now_s)
                full_s = (bucket.per_minute - bucket.left) / bucket.per_second
                found += [
                    (b"x-ratelimit-limit-" + what, b"%d" % bucket.per_minute),
                    (b"x-ratelimit-remaining-" + what, b"%d" % max(0, bucket.left)),
                    (b"x-ratelimit-reset-" + what, _duration(full_s)),
                ]
        return found

    def _buckets(self, key: ApiKey) -> tuple[_Bucket | None, _Bucket | None]:
        limits = key.limits
        return (
            self._bucket(self._requests, key.id, limits.requests_per_minute),
            self._bucket(self._tokens, key.id, limits.tokens_per_minute),
        )

    def _bucket(
        self, buckets: dict[str, _Bucket], key_id: str, per_minute: int | None
    ) -> _Bucket | None:
        """The bucket of a limit; where the limit was changed, a new and full one."""
        if per_minute is None:
            return None
        bucket = buckets.get(key_id)
        if bucket is None or bucket.per_minute != per_minute:
            bucket = buckets[key_id] = _Bucket(per_minute, self._clock())
        return bucket


class _Bucket:
    """What is left of one limit, as of a moment."""

    def __init__(self, per_minute: int, now_s: float) -> None:
        self.per_minute = per_minute
        self.left = float(per_minute)
        self._at_s = now_s

    @property
    def per_second(self) -> float:
        """How fast it fills."""
        return self.per_minute / _MINUTE_S

    def fill(self, now_s: float) -> None:
        """Bring it to this moment."""
        self.left = min(self.per_minute, self.left + (now_s - self._at_s) * self.per_second)
        self._at_s = now_s

    def wait_s(self, now_s: float) -> float:
        """How long until it has at least one; 0 if it has."""
        self.fill(now_s)
        return max(0.0, round((1 - self.left) / self.per_second, 3))


def _duration(seconds: float) -> bytes:
    """As OpenAI writes it: `6m0s`, `12s`, `250ms`."""
    seconds = round(seconds, 3)  # else a sum of floats would be a second more
    if seconds < 1:
        return b"%dms" % math.ceil(seconds * 1000)
    minutes, rest = divmod(math.ceil(seconds), 60)
    return b"%dm%ds" % (minutes, rest) if minutes else b"%ds" % rest
