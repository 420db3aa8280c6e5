"""What a key may ask for: which models, how much a minute, until when. It does no counting."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase

from ingle.errors import InvalidRequest

__all__ = ["NO_LIMITS", "KeyLimits", "check_limits"]

_MOST = 2**31 - 1  # what the database's integers hold
_MOST_PATTERNS = 100
_LONGEST_PATTERN = 300


@dataclass(frozen=True, slots=True)
class KeyLimits:
    """The limits of one key; None is no limit.

    `allowed_models` are names as `/v1/models` lists them, with `*` and `?` for any characters and
    any one. `expires_at` is in UTC.
    """

    allowed_models: tuple[str, ...] | None = None
    requests_per_minute: int | None = None
    tokens_per_minute: int | None = None
    expires_at: datetime | None = None

    @property
    def is_any(self) -> bool:
        """Whether there is a limit at all."""
        return self != NO_LIMITS

    def allows(self, model: str) -> bool:
        """Whether the model of this name, as `/v1/models` lists it, may be asked."""
        return self.allowed_models is None or any(
            fnmatchcase(model, pattern) for pattern in self.allowed_models
        )

    def is_over(self, now: datetime) -> bool:
        """Whether the key has expired."""
        return self.expires_at is not None and self.expires_at <= now


NO_LIMITS = KeyLimits()


def check_limits(limits: KeyLimits, before: KeyLimits, now: datetime) -> KeyLimits:
    """The limits as they are kept, if they can be; an expiry that stays as it was may be over.

    Raises:
        InvalidRequest: one is 0 or less, too large, empty, or in the past; `param` says which.
    """
    for name in ("requests_per_minute", "tokens_per_minute"):
        number = getattr(limits, name)
        if number is not None and not 1 <= number <= _MOST:
            raise InvalidRequest(
                f"`{name}` is {number}, but must be 1 or more, and at most {_MOST:,}. Leave it out "
                "for no limit; `ingle keys revoke` ends a key.",
                param=name,
            )
    expires_at = limits.expires_at
    if expires_at is not None:
        if expires_at.tzinfo is None:
            raise InvalidRequest(
                f"`expires_at` is {expires_at.isoformat()}, without a time zone. Write it as in "
                "2027-01-31T12:00:00Z.",
                param="expires_at",
            )
        expires_at = expires_at.astimezone(UTC)
        if expires_at <= now and expires_at != before.expires_at:
            raise InvalidRequest(
                f"`expires_at` is {expires_at.isoformat()}, which has passed. Give a moment to "
                "come; `ingle keys revoke` ends a key now.",
                param="expires_at",
            )
    allowed = None if limits.allowed_models is None else _patterns(limits.allowed_models)
    return KeyLimits(allowed, limits.requests_per_minute, limits.tokens_per_minute, expires_at)


def _patterns(models: Iterable[str]) -> tuple[str, ...]:
    """Each pattern once, as names are listed: this machine's models without `local/`."""
    patterns = tuple(dict.fromkeys(model.strip().removeprefix("local/") for model in models))
    if not 0 < len(patterns) <= _MOST_PATTERNS:
        raise InvalidRequest(
            f"`allowed_models` has {len(patterns)} names. Give 1 to {_MOST_PATTERNS}, such as "
            "demo or box/*; leave it out to allow all.",
            param="allowed_models",
        )
    for pattern in patterns:
        if not 0 < len(pattern) <= _LONGEST_PATTERN or not pattern.isprintable():
            raise InvalidRequest(
                f"{pattern[:80]!r} is no name of a model and no pattern. Write one such as demo or "
                "box/*.",
                param="allowed_models",
            )
    return patterns
