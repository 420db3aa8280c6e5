"""The keys that callers of this Ingle send: made, checked, listed, limited and revoked.

A key is `ik-` and 32 random bytes in base64url. Only its SHA-256 is stored. A plain fast hash is
right for it: slow and salted ones protect what people choose, which can be guessed from a list; 256
random bits cannot be guessed at any speed, and a slow hash would cost each request its time.
NIST SP 800-63B, section 5.1.2.2, draws the line at 112 bits.
"""

from __future__ import annotations

import builtins
import hashlib
import hmac
import logging
import math
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from ingle.errors import Conflict, InvalidRequest, NotFound, StorageError
from ingle.storage.database import Database
from ingle.storage.key_limits import NO_LIMITS, KeyLimits, check_limits
from ingle.storage.tables import api_keys

__all__ = ["STALE_S", "ApiKey", "ApiKeys"]

STALE_S = 2.0
"""For how long the keys in memory are trusted: another process's change counts after it."""

_USE_EVERY_S = 60.0
"""The use of one key is written at most this often."""

_PREFIX_LENGTH = len("ik-") + 8
_KEY_LENGTH = len("ik-") + 43

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ApiKey:
    """One key as it may be shown; `prefix` is its first characters. Times are in UTC."""

    id: str
    name: str
    prefix: str
    created_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None
    limits: KeyLimits


class ApiKeys:
    """The API keys of one database. Any thread may use it.

    The valid ones are kept in memory, so that a request costs a hash and no database. `verify`
    reads them anew if they are older than `STALE_S`. An event loop, which must not wait for that,
    asks `is_stale` first and lets a thread `refresh`.
    """

    def __init__(
        self, database: Database, *, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._database = database
        self._monotonic = monotonic
        self._reading = threading.Lock()  # so that an older state never replaces a newer one
        self._valid: tuple[tuple[bytes, ApiKey], ...] = ()
        self._read_at = -math.inf
        self._using = threading.Lock()  # guards the two below, and is never held for long
        self._used: dict[str, datetime] = {}
        self._use_written_at: dict[str, float] = {}

    def create(self, name: str, limits: KeyLimits = NO_LIMITS) -> tuple[ApiKey, str]:
        """A new key and its text, which is known now and never again.

        Raises:
            InvalidRequest: the name is empty, too long or has control characters; a limit is one
                that nothing can keep, or an expiry that has passed.
            StorageError: the database failed.
        """
        name = name.strip()
        if not 0 < len(name) <= 100 or not name.isprintable():
            raise InvalidRequest(
                f"{name[:120]!r} cannot name a key. Take 1 to 100 visible characters.", param="name"
            )
        created_at = datetime.now(UTC)
        limits = check_limits(limits, NO_LIMITS, created_at)
        text = f"ik-{secrets.token_urlsafe(32)}"
        key = ApiKey(
            id=secrets.token_hex(8),
            name=name,
            prefix=text[:_PREFIX_LENGTH],
            created_at=created_at,
            last_used_at=None,
            revoked_at=None,
            limits=limits,
        )
        with self._database.writing() as transaction:
            transaction.execute(
                sa.insert(api_keys).values(
                    id=key.id,
                    name=key.name,
                    prefix=key.prefix,
                    sha256=_digest(text).hex(),
                    created_at=key.created_at,
                    **_columns(limits),
                )
            )
        self._distrust()
        return key, text

    def get(self, key_id: str) -> ApiKey:
        """The key with this id, be it revoked.

        Raises:
            NotFound: there is none.
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            return _found(transaction, key_id)

    def change(self, key_id: str, changed: Callable[[KeyLimits], KeyLimits]) -> ApiKey:
        """Give the key the limits that `changed` makes of those that it has.

        They hold here from the next request on, in other processes within `STALE_S`.

        Raises:
            NotFound: there is no key with this id.
            Conflict: it was revoked.
            InvalidRequest: as `create`.
            StorageError: the database failed; nothing was changed.
        """
        with self._database.writing() as transaction:
            key = _found(transaction, key_id)
            if key.revoked_at is not None:
                raise Conflict(
                    f"The API key {key_id!r} was revoked and cannot be changed. "
                    "`ingle keys create` makes another."
                )
            limits = check_limits(changed(key.limits), key.limits, datetime.now(UTC))
            row = api_keys.c.id == key_id
            transaction.execute(sa.update(api_keys).where(row).values(**_columns(limits)))
        self._distrust()
        return replace(key, limits=limits)

    def list(self) -> builtins.list[ApiKey]:
        """All keys, the oldest first, revoked ones too.

        Raises:
            StorageError: the database failed.
        """
        with self._database.reading() as transaction:
            rows = transaction.execute(sa.select(api_keys).order_by(api_keys.c.created_at)).all()
        return [_from_row(row) for row in rows]

    def any(self) -> bool:
        """Whether there is a key that is valid.

        Raises:
            StorageError: the database failed.
        """
        table = api_keys.c
        is_not_over = sa.or_(table.expires_at.is_(None), table.expires_at > datetime.now(UTC))
        valid = sa.select(sa.exists().where(table.revoked_at.is_(None), is_not_over))
        with self._database.reading() as transaction:
            return bool(transaction.scalar(valid))

    def revoke(self, key_id: str) -> ApiKey:
        """Make the key invalid: here at once, in other processes within `STALE_S`.

        A key that is revoked already stays as it is.

        Raises:
            NotFound: there is no key with this id.
            StorageError: the database failed; the key is still valid.
        """
        row = api_keys.c.id == key_id
        with self._database.writing() as transaction:
            transaction.execute(
                sa.update(api_keys)
                .where(row, api_keys.c.revoked_at.is_(None))
                .values(revoked_at=datetime.now(UTC))
            )
            found = _found(transaction, key_id)
        self._distrust()
        return found

    def verify(self, text: str) -> ApiKey | None:
        """The key with this text, compared in constant time; None if there is none, or no more.

        One that has expired is given: what it is refused with is for the caller to say.

        Raises:
            StorageError: the keys had to be read anew and the database failed.
        """
        self.refresh()
        if len(text) != _KEY_LENGTH or not text.isascii():
            return None
        digest = _digest(text)
        for known, key in self._valid:
            # The prefix is no secret; it spares the comparison with all other keys.
            if key.prefix == text[:_PREFIX_LENGTH] and hmac.compare_digest(known, digest):
                with self._using:
                    self._used[key.id] = datetime.now(UTC)
                return key
        return None

    @property
    def is_stale(self) -> bool:
        """Whether `verify` would read the database."""
        return self._monotonic() - self._read_at >= STALE_S

    def refresh(self) -> None:
        """Read the keys anew if they are stale, and write down which were used.

        Raises:
            StorageError: the database failed.
        """
        if not self.is_stale:
            return
        with self._reading:
            if not self.is_stale:  # another thread was faster
                return
            self._read()
        self.record_uses(every_s=_USE_EVERY_S)

    def record_uses(self, *, every_s: float = 0.0) -> None:
        """Write `last_used_at` of the keys used since, if that was not done for `every_s`.

        A database that fails here is logged and no error: nobody's request depends on it.
        """
        now = self._monotonic()
        with self._using:
            due = {
                key_id: used_at
                for key_id, used_at in self._used.items()
                if now - self._use_written_at.get(key_id, -math.inf) >= every_s
            }
            for key_id in due:
                del self._used[key_id]
                self._use_written_at[key_id] = now
        if not due:
            return
        try:
            with self._database.writing() as transaction:
                for key_id, used_at in due.items():
                    row = api_keys.c.id == key_id
                    transaction.execute(sa.update(api_keys).where(row).values(last_used_at=used_at))
        except StorageError as error:
            _log.warning("The last use of %d API keys was not recorded. %s", len(due), error)

    def _distrust(self) -> None:
        """Have the keys read anew before the next one is checked."""
        with self._reading:  # else a read that began before the change could end after this
            self._read_at = -math.inf

    def _read(self) -> None:
        read_at = self._monotonic()  # before, so that what changes meanwhile is not trusted longer
        with self._database.reading() as transaction:
            rows = transaction.execute(
                sa.select(api_keys).where(api_keys.c.revoked_at.is_(None))
            ).all()
        self._valid = tuple((bytes.fromhex(row.sha256), _from_row(row)) for row in rows)
        self._read_at = read_at


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()


def _found(transaction: sa.Connection, key_id: str) -> ApiKey:
    row = transaction.execute(sa.select(api_keys).where(api_keys.c.id == key_id)).first()
    if row is None:
        raise NotFound(f"There is no API key {key_id!r}. `ingle keys list` shows their ids.")
    return _from_row(row)


def _columns(limits: KeyLimits) -> dict[str, Any]:  # Any: values of the columns' own types
    allowed = limits.allowed_models
    return {**asdict(limits), "allowed_models": None if allowed is None else builtins.list(allowed)}


def _from_row(row: sa.Row[Any]) -> ApiKey:  # Any: mypy does not know a row's columns
    return ApiKey(
        id=row.id,
        name=row.name,
        prefix=row.prefix,
        created_at=row.created_at,
        last_used_at=row.last_used_at,
        revoked_at=row.revoked_at,
        limits=KeyLimits(
            None if row.allowed_models is None else tuple(row.allowed_models),
            row.requests_per_minute,
            row.tokens_per_minute,
            row.expires_at,
        ),
    )
