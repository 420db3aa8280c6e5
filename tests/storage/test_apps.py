"""Drafts and versions of apps: what runs, what does not yet, and what can be had back."""

from __future__ import annotations

import pytest

from ingle.errors import AppNotFound, Conflict
from ingle.storage.apps import Apps
from ingle.storage.database import Database


@pytest.fixture
def apps(database: Database) -> Apps:
    """No apps yet."""
    return Apps(database)


def save(apps: Apps, text: str, slug: str = "one") -> None:
    apps.save_draft(slug, text, name=text.upper(), type="form", description=f"about {text}")


def test_a_draft_does_not_run(apps: Apps) -> None:
    """It is listed, and has no text that runs."""
    save(apps, "a")
    assert (apps.get("one").name, apps.get("one").published) == ("A", None)
    assert apps.draft("one") == "a"
    with pytest.raises(AppNotFound, match="'one' is not published"):
        apps.text("one")


def test_a_draft_changes_nothing_that_is_published(apps: Apps) -> None:
    """Neither its text nor what lists say of it, until it is published itself."""
    save(apps, "a")
    assert apps.publish("one", note="first") == 1
    assert apps.draft("one") is None
    save(apps, "b")
    shown = apps.get("one")
    assert (shown.name, shown.description, shown.published) == ("A", "about a", 1)
    assert apps.text("one") == "a"
    assert apps.publish("one", note="second") == 2
    assert (apps.get("one").name, apps.text("one"), apps.text("one", 1)) == ("B", "b", "a")
    assert [(v.version, v.note) for v in apps.versions("one")] == [(2, "second"), (1, "first")]


def test_restored(apps: Apps) -> None:
    """An earlier version is the draft again, and runs as a new one; its number does not."""
    for text in ("a", "b"):
        save(apps, text)
        apps.publish("one")
    apps.restore("one", 1)
    assert (apps.draft("one"), apps.text("one")) == ("a", "b")
    assert apps.publish("one") == 3
    assert apps.text("one") == "a"
    with pytest.raises(AppNotFound, match="no version 9"):
        apps.restore("one", 9)


def test_what_is_published_makes_no_new_version(apps: Apps) -> None:
    """Publishing the same text again changes nothing, and nothing without a draft."""
    save(apps, "a")
    apps.publish("one")
    save(apps, "a")
    assert apps.publish("one") == 1
    with pytest.raises(Conflict, match="no draft"):
        apps.publish("one")


def test_unpublished(apps: Apps) -> None:
    """It runs no more; what ran is the draft, and its versions stay."""
    save(apps, "a")
    apps.publish("one")
    apps.unpublish("one")
    assert (apps.get("one").published, apps.draft("one")) == (None, "a")
    assert apps.text("one", 1) == "a"
    assert apps.publish("one") == 2


def test_removed(apps: Apps) -> None:
    """It is gone with its versions; a name that is not there is told with the nearest."""
    save(apps, "a", "story")
    save(apps, "b", "poem")
    apps.publish("story")
    apps.remove("story")
    assert [app.slug for app in apps.list()] == ["poem"]
    with pytest.raises(AppNotFound, match=r"no app 'poems'\. Did you mean 'poem'"):
        apps.get("poems")


def test_not_listed(apps: Apps) -> None:
    """An app can be kept out of public lists, and comes back."""
    save(apps, "a")
    assert apps.get("one").is_listed
    apps.list_publicly("one", is_listed=False)
    save(apps, "b")
    assert not apps.get("one").is_listed
