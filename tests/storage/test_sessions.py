"""Chats: their messages as a tree, the branch that is shown, and whose they are."""

from __future__ import annotations

import pytest

from ingle.errors import Conflict, NotFound, SessionNotFound
from ingle.storage.database import Database
from ingle.storage.sessions import MessageRecord, Sessions


@pytest.fixture
def sessions(database: Database) -> Sessions:
    """No sessions."""
    return Sessions(database)


def talk(sessions: Sessions, session: str, *said: str) -> list[MessageRecord]:
    """The branch after a few turns; each is answered by what was said in capitals."""
    for text in said:
        run = f"run_{text}"
        sessions.say(session, text, run=run, title=text)
        sessions.end_answer(run, text.upper(), "ended")
    return sessions.branch(session)


def told(messages: list[MessageRecord]) -> list[str]:
    """What the messages say."""
    return [message.content for message in messages]


def test_messages_follow_each_other(sessions: Sessions) -> None:
    """Each thing said follows the answer before it; the first one gives the title."""
    session = sessions.create("chat").id
    branch = talk(sessions, session, "one", "two")
    assert told(branch) == ["one", "ONE", "two", "TWO"]
    assert [message.role for message in branch] == ["user", "assistant"] * 2
    assert [m.parent_id for m in branch] == [None, *(m.id for m in branch[:-1])]
    assert sessions.get(session).title == "one"
    assert told(sessions.before_run("run_two")) == ["one", "ONE"]
    assert sessions.before_run("run_of_no_session") == []


def test_edit_makes_a_branch(sessions: Sessions) -> None:
    """What is edited stays, beside what stands in its place; either branch can be shown."""
    session = sessions.create("chat").id
    first = talk(sessions, session, "one", "two", "three")
    sessions.say(session, "zwei", run="run_zwei", instead_of=first[2].id)
    sessions.end_answer("run_zwei", "ZWEI", "ended")
    assert told(sessions.branch(session)) == ["one", "ONE", "zwei", "ZWEI"]
    assert told(sessions.before_run("run_zwei")) == ["one", "ONE"]
    assert told(sessions.choose(session, first[2].id)) == told(first)
    assert told(sessions.branch(session)) == told(first)
    assert told(sessions.branch(session, head=first[1].id)) == ["one", "ONE"]
    assert len(sessions.tree(session)) == 8


def test_first_message_can_be_edited(sessions: Sessions) -> None:
    """A session can have two beginnings."""
    session = sessions.create("chat").id
    first = talk(sessions, session, "one")
    sessions.say(session, "eins", run="run_eins", instead_of=first[0].id)
    assert told(sessions.branch(session)) == ["eins", ""]
    assert told(sessions.choose(session, first[0].id)) == ["one", "ONE"]


def test_another_answer_stands_beside_the_first(sessions: Sessions) -> None:
    """Both follow what was said; the new one is shown."""
    session = sessions.create("chat").id
    branch = talk(sessions, session, "one")
    said, answer = sessions.ask_again(session, branch[1].id, run="run_again")
    assert (said, answer.parent_id) == (branch[0], branch[0].id)
    sessions.end_answer("run_again", "Once more", "ended")
    assert told(sessions.branch(session)) == ["one", "Once more"]
    with pytest.raises(NotFound, match="is not an answer"):
        sessions.ask_again(session, said.id, run="run_3")
    with pytest.raises(NotFound, match="only those are edited"):
        sessions.say(session, "x", run="run_4", instead_of=answer.id)


def test_answer_ends_once(sessions: Sessions) -> None:
    """What was kept of an answer does not change, and until it is there nothing follows it."""
    session = sessions.create("chat").id
    sessions.say(session, "one", run="run_1")
    with pytest.raises(Conflict, match="'run_1', or cancel it"):
        sessions.say(session, "two", run="run_2")
    sessions.end_answer("run_1", "so f", "cancelled")
    sessions.end_answer("run_1", "so far", "ended")
    answer = sessions.branch(session)[1]
    assert (answer.content, answer.state) == ("so f", "cancelled")


def test_a_key_sees_its_own_only(sessions: Sessions) -> None:
    """Another key's session is not there, neither to read nor to change; no key sees all."""
    mine = sessions.create("chat", key_id="key_1").id
    talk(sessions, mine, "secret")
    message = sessions.branch(mine)[0].id
    for forbidden in (
        lambda: sessions.get(mine, key_id="key_2"),
        lambda: sessions.tree(mine, key_id="key_2"),
        lambda: sessions.branch(mine, key_id="key_2"),
        lambda: sessions.rename(mine, "x", key_id="key_2"),
        lambda: sessions.remove(mine, key_id="key_2"),
        lambda: sessions.choose(mine, message, key_id="key_2"),
        lambda: sessions.say(mine, "x", run="r", key_id="key_2"),
        lambda: sessions.list(before=mine, key_id="key_2"),
    ):
        with pytest.raises(SessionNotFound):
            forbidden()
    assert sessions.list(key_id="key_2") == []
    assert [found.id for found in sessions.list(key_id="key_1")] == [mine]
    assert [found.id for found in sessions.list()] == [mine]


def test_message_of_another_session_is_not_there(sessions: Sessions) -> None:
    """An id alone leads nowhere."""
    one, two = sessions.create("chat").id, sessions.create("chat").id
    message = talk(sessions, one, "one")[0].id
    with pytest.raises(NotFound, match="has no message"):
        sessions.choose(two, message)
    with pytest.raises(NotFound, match="has no message"):
        sessions.branch(two, head=message)


def test_list_is_by_last_use_and_searched(sessions: Sessions) -> None:
    """The one last used comes first; titles and what was said are searched; pages join up."""
    ids = [sessions.create(app, title=app.title()).id for app in ("chat", "chat", "other")]
    talk(sessions, ids[0], "Where is 100% of it?")
    order = [ids[0], ids[2], ids[1]]
    assert [found.id for found in sessions.list()] == order
    assert [found.id for found in sessions.list(limit=2)] == order[:2]
    assert [found.id for found in sessions.list(before=order[1])] == order[2:]
    assert [found.id for found in sessions.list(app="other")] == [ids[2]]
    assert [found.id for found in sessions.list(search="where")] == [ids[0]]
    assert [found.id for found in sessions.list(search="100%")] == [ids[0]]
    assert sessions.list(search="1%0") == []
    assert [found.id for found in sessions.list(search="OTHER")] == [ids[2]]


def test_rename_and_remove(sessions: Sessions) -> None:
    """A title stays as it was given; what is removed is gone with all its messages."""
    session = sessions.create("chat").id
    sessions.rename(session, "Mine")
    talk(sessions, session, "one")
    assert sessions.get(session).title == "Mine"
    sessions.remove(session)
    with pytest.raises(SessionNotFound, match=session):
        sessions.get(session)
    assert sessions.before_run("run_one") == []
