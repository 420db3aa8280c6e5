"""Kept chats whose servers gave them the same id, and metadata that cannot be looked for."""

from __future__ import annotations

import pytest

from ingle.errors import InvalidRequest, NotFound
from ingle.storage.database import Database
from ingle.storage.pages import Paging
from ingle.storage.stored_chats import StoredChat, StoredChats


@pytest.fixture
def chats(each_database: Database) -> StoredChats:
    """None yet."""
    return StoredChats(each_database)


def chat(chat_id: str, key_id: str | None, text: str = "", **metadata: str) -> StoredChat:
    return StoredChat(chat_id, key_id, "m", metadata, [], {"id": chat_id, "text": text})


def test_one_id_of_two_keys(chats: StoredChats) -> None:
    """Neither overwrites the other's; the same key's is replaced; without a key the newest shows."""
    chats.keep(chat("chatcmpl-1", "k1", "old"))
    chats.keep(chat("chatcmpl-1", "k1", "new"))
    chats.keep(chat("chatcmpl-1", "k2", "other"))
    assert chats.get("chatcmpl-1", "k1").completion["text"] == "new"
    assert chats.get("chatcmpl-1", "k2").completion["text"] == "other"
    assert chats.get("chatcmpl-1").completion["text"] == "other"
    chats.remove("chatcmpl-1", "k2")
    assert len(chats.list(Paging(10)).items) == 1
    with pytest.raises(NotFound):
        chats.get("chatcmpl-1", "k2")


def test_metadata_is_matched_exactly(chats: StoredChats) -> None:
    """By case, by all pairs, and nothing but the pair."""
    chats.keep(chat("a", None, kind="Cow", n="1"))
    chats.keep(chat("b", None, kind="cow", n="1"))
    found = chats.list(Paging(10), metadata={"kind": "cow", "n": "1"})
    assert [one.id for one in found.items] == ["b"]
    assert chats.list(Paging(10), metadata={"kind": "co"}).items == []
    assert chats.list(Paging(10), metadata={"kind'; --": "x"}).items == []
    with pytest.raises(InvalidRequest, match="quote"):
        chats.list(Paging(10), metadata={'a"b': "x"})
