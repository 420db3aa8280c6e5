"""The chat: first run to first answer, stop, edit, branches, history, and a page that was closed."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from playwright.sync_api import Page, expect
from tests.web.conftest import OpenPage, scripted

from ingle.testing import Answer, Fault, chat_stream, models

DEMO_SAYS = "Ingle runs open models on your own machine"


def ask(page: Page, text: str) -> None:
    """Write a message and send it."""
    box = page.get_by_role("textbox", name="Message")
    box.fill(text)
    box.press("Enter")


def without_end(answer: Answer) -> Answer:
    """The same, but after its last piece nothing comes."""
    return replace(answer, parts=(*answer.parts, Fault.STALL))


def connect(page: Page, name: str, url: str) -> None:
    """Make a connection, as the settings screen does."""
    made = page.request.put(f"/api/connections/{name}", data={"base_url": url})
    assert made.ok, made.text()


def test_first_run_leads_to_an_answer(open_page: OpenPage) -> None:
    """One click and the demo answers; the page says what it is, and which models fit."""
    page = open_page()
    expect(page.get_by_text("is a tiny model that comes with Ingle")).to_be_visible()
    expect(page.get_by_role("heading", name="Models that fit this machine")).to_be_visible()
    assert page.get_by_role("button", name=re.compile(r"^Install .+ [GM]B$")).count() == 4
    page.get_by_role("button", name="What is Ingle?").click()
    expect(page.get_by_role("article", name="Answer of demo")).to_contain_text(DEMO_SAYS)
    line = re.compile(r"demo · \d+ tokens · [\d,]+ tokens/s · \d+ of [\d,]+ in context")
    expect(page.get_by_text(line)).to_be_visible()
    expect(page).to_have_url(re.compile(r"/chat/chat_\w+$"))


def test_an_edit_makes_a_branch(open_page: OpenPage) -> None:
    """What was said before stays one click away, with its answer."""
    page = open_page()
    ask(page, "What is Ingle?")
    answer = page.get_by_role("article", name="Answer of demo")
    expect(answer).to_contain_text(DEMO_SAYS)
    page.get_by_role("article", name="You").hover()
    page.get_by_role("button", name="Edit").click()
    page.get_by_role("textbox", name="Edit your message").fill("Say hello.")
    page.get_by_role("button", name="Send").first.click()
    expect(page.get_by_role("article", name="You")).to_contain_text("Say hello.")
    expect(page.get_by_text("2/2")).to_be_visible()
    page.get_by_role("button", name="Branch before").click()
    expect(page.get_by_role("article", name="You")).to_contain_text("What is Ingle?")
    expect(answer).to_contain_text(DEMO_SAYS)


def test_stop_keeps_what_came_and_continue_goes_on(open_page: OpenPage) -> None:
    """Stopping leaves the words; going on sends them back as the beginning of the answer."""
    page = open_page()
    slow = without_end(chat_stream("One, two", finish_reason=None, has_done=False))
    with scripted(models("count"), slow, chat_stream(", three.")) as upstream:
        connect(page, "slow", upstream.url)
        page.reload()
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name="slow/count").click()
        expect(page.get_by_text("The server “slow” answers")).to_be_visible()
        ask(page, "Count.")
        answer = page.get_by_role("article", name="Answer of slow/count")
        expect(answer).to_contain_text("One, two")
        page.get_by_role("button", name="Stop").click()
        expect(answer).to_contain_text("You stopped here.")
        answer.get_by_role("button", name="Continue").click()
        expect(answer).to_contain_text("One, two, three.")
        sent = upstream.requests[-1].json["messages"]
        assert sent[-1] == {"role": "assistant", "content": "One, two"}
        page.request.delete("/api/connections/slow")


def test_a_closed_page_loses_nothing(open_page: OpenPage) -> None:
    """An answer that was cut by a reload is there after it, and the model goes on by itself."""
    page = open_page()
    ask(page, "What is Ingle?")
    answer = page.get_by_role("article", name="Answer of demo")
    expect(answer).to_contain_text(DEMO_SAYS)
    page.evaluate(CUT_THE_LAST_ANSWER)
    page.reload()
    expect(answer).to_contain_text("Ingle runs open models on your own machine and lets you build")
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()


CUT_THE_LAST_ANSWER = """() => new Promise((done) => {
  indexedDB.open("ingle").onsuccess = ({ target }) => {
    const change = target.result.transaction("messages", "readwrite");
    change.oncomplete = () => done();
    const store = change.objectStore("messages");
    store.getAll().onsuccess = ({ target }) => {
      const answer = target.result.find((one) => one.role === "assistant");
      store.put({ ...answer, text: "Ingle runs open", state: "writing", stats: null });
    };
  };
})"""
"""Leaves the answer as it is saved while it is written."""


def test_history_is_searched_renamed_and_brought_back(open_page: OpenPage) -> None:
    """A chat is found by a word of its answer, takes a new name, and survives its deletion."""
    page = open_page()
    ask(page, "What is Ingle?")
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()
    page.get_by_role("button", name="New chat").first.click()
    ask(page, "Say hello.")
    expect(page.get_by_role("button", name="Answer again")).to_be_visible()
    chats = page.get_by_role("list", name="Chats")
    page.get_by_role("searchbox", name="Search chats").fill("machine build")
    expect(chats.get_by_role("button", name="Say hello.", exact=True)).to_have_count(0)
    expect(chats.get_by_role("button", name="What is Ingle?", exact=True)).to_be_visible()
    page.get_by_role("button", name="More about What is Ingle?").click()
    page.get_by_role("menuitem", name="Rename").click()
    page.get_by_role("textbox", name="Title").fill("About the fire")
    page.get_by_role("button", name="Rename").click()
    page.get_by_role("button", name="More about About the fire").click()
    page.get_by_role("menuitem", name="Delete").click()
    expect(chats.get_by_role("button", name="About the fire", exact=True)).to_have_count(0)
    page.get_by_role("button", name="Undo").click()
    expect(chats.get_by_role("button", name="About the fire", exact=True)).to_be_visible()


def test_ten_thousand_messages_are_few_in_the_page(open_page: OpenPage) -> None:
    """Of a very long chat only what is in sight is in the page, and its end is shown at once."""
    page = open_page()
    expect(page.get_by_role("textbox", name="Message")).to_be_visible()  # its tables are made
    page.evaluate(MAKE_A_LONG_CHAT, 10_000)
    page.goto("/chat/long")
    expect(page.get_by_text("Message 9999 of many")).to_be_visible()
    assert page.get_by_role("article").count() < 60
    page.get_by_role("log").evaluate("(log) => log.scrollTo({ top: 0 })")
    expect(page.get_by_text("Message 0 of many")).to_be_visible()


MAKE_A_LONG_CHAT = """(count) => new Promise((done) => {
  indexedDB.open("ingle").onsuccess = ({ target }) => {
    const change = target.result.transaction(["conversations", "messages"], "readwrite");
    change.oncomplete = () => done();
    change.objectStore("conversations").put({
      id: "long", title: "Long", createdAt: 1, updatedAt: 1, model: "demo", system: "",
      parameters: {}, chosen: {},
    });
    for (let n = 0; n < count; n += 1) change.objectStore("messages").put({
      id: `m${String(n).padStart(6, "0")}`, conversation: "long",
      parent: n ? `m${String(n - 1).padStart(6, "0")}` : null, role: n % 2 ? "assistant" : "user",
      text: `Message ${n} of many`, images: [], reasoning: "", toolCalls: [], model: "demo",
      state: "done", error: null, stats: null, createdAt: n,
    });
  };
})"""


@pytest.mark.parametrize("hostile", ["<img src=x onerror=alert(1)>", "![x](https://example.com/x)"])
def test_what_a_model_writes_is_text(open_page: OpenPage, hostile: str) -> None:
    """No HTML of an answer runs, and no picture of another server is asked for."""
    page = open_page()
    with scripted(models("bad"), chat_stream(f"Look: {hostile}")) as upstream:
        connect(page, "bad", upstream.url)
        page.reload()
        page.get_by_role("combobox", name="Model").click()
        page.get_by_role("option", name="bad/bad").click()
        ask(page, "Show me.")
        answer = page.get_by_role("article", name="Answer of bad/bad")
        expect(answer).to_contain_text("Look:")
        expect(answer.locator("img")).to_have_count(0)
        page.request.delete("/api/connections/bad")
