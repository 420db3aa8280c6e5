"""Connections from the file, the environment and the database."""

from __future__ import annotations

import traceback
from contextlib import closing
from pathlib import Path

import pytest

from ingle.errors import Conflict, ConnectionNotFound, InvalidRequest, StorageError
from ingle.settings import Settings, load_settings
from ingle.storage.connections import Connections
from ingle.storage.database import Database

KEY = "sk-0123456789abcdefWXYZ"


@pytest.fixture
def stored(database: Database, settings: Settings) -> Connections:
    """No connections yet."""
    return Connections(database, settings)


def test_save_get_list(stored: Connections) -> None:
    """A saved connection comes back with its key, from the database."""
    stored.save("localai", "  http://box:8080/v1  ", KEY)
    stored.save("a.b_c-1", "box2", None)
    connection = stored.get("localai")
    assert (connection.base_url, connection.api_key) == ("http://box:8080/v1", KEY)
    assert (connection.resolved_url, str(connection.source)) == (None, "database")
    assert [connection.name for connection in stored.list()] == ["a.b_c-1", "localai"]


def test_key_is_kept_encrypted(stored: Connections, settings: Settings) -> None:
    """No file of the home holds the key, and nothing that is shown does."""
    connection = stored.save("box", "http://box", KEY)
    content = b"".join(file.read_bytes() for file in settings.home.iterdir())
    assert b"http://box" in content
    assert KEY.encode() not in content
    assert KEY not in repr(connection)


@pytest.mark.parametrize(
    ("key", "masked"), [(KEY, "…WXYZ"), ("0123456789abcdef", "…cdef"), ("short-key", "…")]
)
def test_masked(stored: Connections, key: str, masked: str) -> None:
    """Of a key only the last four characters are shown, and of a short one none."""
    assert stored.save("box", "http://box", key).masked_key == masked
    assert stored.save("box", "http://box", None).masked_key is None


def test_save_again(stored: Connections) -> None:
    """Saving puts the new one in the old one's place: a key is not carried to another server."""
    stored.save("box", "http://a", KEY)
    stored.save("box", "http://b", None)
    assert stored.get("box").base_url == "http://b"
    assert stored.get("box").api_key is None


@pytest.mark.parametrize(
    ("name", "base_url", "api_key", "param"),
    [
        ("local", "http://a", None, "name"),
        ("app", "http://a", None, "name"),
        ("Box", "http://a", None, "name"),
        ("../x", "http://a", None, "name"),
        ("", "http://a", None, "name"),
        ("-x", "http://a", None, "name"),
        ("x" * 65, "http://a", None, "name"),
        ("x\n", "http://a", None, "name"),
        ("box", "", None, "base_url"),
        ("box", "http://a b", None, "base_url"),
        ("box", "http://user:hunter2@a", None, "base_url"),
        ("box", "x" * 2049, None, "base_url"),
        ("box", "http://a", "", "api_key"),
        ("box", "http://a", "hunter2\r\nX-Evil: 1", "api_key"),
    ],
)
def test_wrong(
    stored: Connections, name: str, base_url: str, api_key: str | None, param: str
) -> None:
    """What cannot be right is refused with the field's name, and without showing a secret."""
    with pytest.raises(InvalidRequest) as raised:
        stored.save(name, base_url, api_key)
    assert raised.value.param == param
    assert (
        "hunter2" not in "".join(traceback.format_exception(raised.value)).split("stored.save")[-1]
    )
    assert stored.list() == []


def test_not_found(stored: Connections) -> None:
    """A name that is not there is an error that lists those that are."""
    stored.save("box", "http://box", None)
    for use in (stored.get, stored.remove):
        with pytest.raises(ConnectionNotFound, match=r"no connection 'bix'. There are: box\."):
            use("bix")


def test_remove(stored: Connections) -> None:
    """A removed connection is gone."""
    stored.save("box", "http://box", KEY)
    stored.remove("box")
    assert stored.list() == []


def test_remember(stored: Connections) -> None:
    """What a base URL led to is kept, and forgotten when the base URL changes."""
    connection = stored.save("box", "box", None)
    stored.remember(connection, "http://box:8080/v1")
    stored.remember(connection, "http://box:80/v1")
    assert stored.get("box").resolved_url == "http://box:80/v1"
    stored.save("box", "box", KEY)
    assert stored.get("box").resolved_url == "http://box:80/v1"
    stored.save("box", "box2", KEY)
    stored.save("box", "box", KEY)
    assert stored.get("box").resolved_url is None


def test_remember_too_late(stored: Connections) -> None:
    """What was found for an old base URL is not taken for the new one's."""
    old = stored.save("box", "old", None)
    stored.save("box", "new", KEY)
    stored.remember(old, "http://old/v1")
    assert stored.get("box").resolved_url is None


def test_version(stored: Connections) -> None:
    """Each change gives another version, reading none."""
    versions = [stored.version]
    connection = stored.save("box", "box", None)
    versions.append(stored.version)
    stored.remember(connection, "http://box/v1")
    versions.append(stored.version)
    stored.remove("box")
    versions.append(stored.version)
    assert len(set(versions)) == 4
    stored.list()
    assert stored.version == versions[-1]


def with_localai(home: Path) -> Settings:
    return load_settings(
        environ={
            "INGLE_HOME": str(home),
            "INGLE_LOCALAI_BASE_URL": "http://from-environment",
            "INGLE_LOCALAI_API_KEY": KEY,
        }
    )


def test_settings_win(home: Path, stored: Connections, database: Database) -> None:
    """A connection from settings hides the database's of this name, its key too."""
    stored.save("localai", "http://from-database", None)
    stored.save("other", "http://other", None)
    both = Connections(database, with_localai(home))
    assert [connection.base_url for connection in both.list()] == [
        "http://from-environment",
        "http://other",
    ]
    assert both.get("localai").api_key == KEY
    assert str(both.get("localai").source) == "environment INGLE_LOCALAI_BASE_URL"


def test_settings_are_changed_where_they_are(home: Path, database: Database) -> None:
    """One from settings cannot be changed here; the error says where it is set."""
    both = Connections(database, with_localai(home))
    with pytest.raises(Conflict, match="set by the environment INGLE_LOCALAI_BASE_URL"):
        both.save("localai", "http://x", None)
    with pytest.raises(Conflict, match="set by the environment INGLE_LOCALAI_BASE_URL"):
        both.remove("localai")


def test_remember_for_settings(home: Path, database: Database) -> None:
    """What the base URL of a connection from settings led to is remembered too."""
    both = Connections(database, with_localai(home))
    both.remember(both.get("localai"), "http://from-environment/v1")
    assert both.get("localai").resolved_url == "http://from-environment/v1"
    assert both.list()[0].resolved_url == "http://from-environment/v1"


def test_lost_key_file(stored: Connections, settings: Settings) -> None:
    """Without the key file connections are listed but not used, and no new one hides the loss."""
    stored.save("box", "http://box", KEY)
    stored.save("open", "http://open", None)
    (settings.home / "secret.key").unlink()
    box, unprotected = stored.list()
    assert (box.api_key, unprotected.key_fault) == (None, None)
    assert "secret.key is missing" in str(box.key_fault)
    assert stored.get("open").base_url == "http://open"
    with pytest.raises(StorageError, match=r"key of the connection 'box' cannot be read.*missing"):
        stored.get("box")
    with pytest.raises(StorageError, match="the keys of box are encrypted with it"):
        stored.save("new", "http://new", KEY)
    assert not (settings.home / "secret.key").exists()


def test_way_out_of_a_lost_key_file(stored: Connections, settings: Settings) -> None:
    """Setting the only encrypted key again makes a new key file, as the error said."""
    stored.save("box", "http://box", "old-key")
    (settings.home / "secret.key").unlink()
    stored.save("box", "http://box", KEY)
    assert stored.get("box").api_key == KEY


def test_copied_database_tells_nothing(
    tmp_path: Path, stored: Connections, settings: Settings
) -> None:
    """A copy of the database without the key file gives no key away."""
    stored.save("box", "http://box", KEY)
    other = Settings(home=tmp_path / "other", database_url=f"sqlite:///{settings.home}/ingle.db")
    with closing(Database.open(other)) as database:
        assert Connections(database, other).list()[0].api_key is None
