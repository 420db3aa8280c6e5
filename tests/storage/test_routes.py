"""Names that stand for models, as they are kept."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from ingle.errors import ConfigurationError, Conflict, InvalidRequest, NotFound
from ingle.settings import Settings, load_settings
from ingle.storage.connections import Connections
from ingle.storage.database import Database
from ingle.storage.routes import NamedRoutes, Pick


@pytest.fixture
def routes(database: Database, settings: Settings) -> NamedRoutes:
    """No routes yet, and a connection `box`."""
    Connections(database, settings).save("box", "http://box", None)
    return NamedRoutes(database, settings)


def save(
    routes: NamedRoutes, models: Sequence[str], name: str = "fast", pick: Pick = "first"
) -> None:
    routes.save(name, models, pick, installed=["demo"])


def test_a_route_is_kept_until_it_is_removed(routes: NamedRoutes, settings: Settings) -> None:
    """A model without a slash is this machine's; another save takes its place."""
    save(routes, ["demo", "box/a/b"])
    save(routes, ["box/m", "local/demo"], pick="round_robin")
    (route,) = routes.list()
    assert (route.name, route.models, route.pick) == (
        "fast",
        ("box/m", "local/demo"),
        "round_robin",
    )
    assert str(route.source) == "database"
    assert routes.get("fast") == route
    routes.remove("fast")
    assert routes.list() == []
    with pytest.raises(NotFound, match=r"There is no route 'fast'\. There are: none"):
        routes.remove("fast")


@pytest.mark.parametrize(
    ("models", "message"),
    [
        ([], "A route leads to one model or more"),
        (["local/fast"], "cannot lead to itself"),
        (["fast"], "cannot lead to itself"),
        (["other"], "cannot lead to the route 'other'"),
        (["nowhere/m"], r"'nowhere/m' names no connection: there are box\."),
        (["box/"], "'box/' is no model's name"),
        (["demo", "local/demo"], "'local/demo' stands there twice"),
        (["a b"], "'local/a b' is no model's name"),
        ([f"box/{n}" for n in range(65)], "at most 64 models, not 65"),
    ],
)
def test_wrong_models(routes: NamedRoutes, models: list[str], message: str) -> None:
    """Nothing is kept, and the error names the field."""
    save(routes, ["demo"], "other")
    with pytest.raises(InvalidRequest, match=message) as caught:
        save(routes, models)
    assert caught.value.param == "models"
    assert [route.name for route in routes.list()] == ["other"]


@pytest.mark.parametrize("name", ["", "a/b", "local/x", "-x", "a b", "x" * 129, "\x1b[31m"])
def test_wrong_name(routes: NamedRoutes, name: str) -> None:
    """A slash would name a connection."""
    with pytest.raises(InvalidRequest, match="is not a route's name"):
        save(routes, ["demo"], name)


def test_name_of_an_installed_model(routes: NamedRoutes) -> None:
    """Neither may hide the other."""
    with pytest.raises(Conflict, match="'demo' is the name of an installed model"):
        save(routes, ["box/m"], "demo")


def test_from_the_file(home: Path, database: Database) -> None:
    """It wins, says where it stands, and is not changed here."""
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text(
        "routes:\n  fast: {models: [demo, box/m]}\n  big:\n    models: box/a, box/b\n"
        "    pick: round_robin\n"
    )
    routes = NamedRoutes(database, load_settings())
    big, fast = routes.list()
    assert (fast.models, fast.pick) == (("local/demo", "box/m"), "first")
    assert (big.models, big.pick) == (("box/a", "box/b"), "round_robin")
    assert str(fast.source) == f"file {home}/config.yaml line 2"
    is_set = r"is set by the file .*config\.yaml line 2"
    with pytest.raises(Conflict, match=is_set):
        save(routes, ["demo"])
    with pytest.raises(Conflict, match=is_set):
        routes.remove("fast")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("routes: {fast: demo}", "must hold names, and below each name its `models`"),
        ("routes: {fast: {models: []}}", "a route leads to one model or more"),
        ("routes: {fast: {pick: first}}", r"`routes.fast.models` is not set"),
        ("routes: {fast: {models: demo, pick: random}}", r"`routes.fast.pick` is 'random'"),
        ("routes: {fast: {models: demo, modles: x}}", "Did you mean `models`"),
        ("routes: {fast: {models: fast}}", "the route 'fast' leads to 'local/fast'"),
        ("routes: {a/b: {models: demo}}", "is not a route's name"),
    ],
)
def test_wrong_in_the_file(home: Path, text: str, message: str) -> None:
    """The settings are refused, with where it stands."""
    home.mkdir()
    (home / "config.yaml").write_text(text)
    with pytest.raises(ConfigurationError, match=message) as caught:
        load_settings()
    assert "config.yaml line 1" in str(caught.value)
