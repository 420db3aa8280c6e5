"""The playground: a processor run by form and by JSON, its faults, and the same call as code."""

from __future__ import annotations

import json
import re
import subprocess
import sys

from playwright.sync_api import expect
from tests.web.conftest import OpenPage, serious_findings


def test_a_chat_is_run_and_its_output_is_right(open_page: OpenPage) -> None:
    """The demo answers as it is written; the raw output is there, and the Python runs as it stands."""
    page = open_page("/playground")
    page.get_by_label("Content").fill("What is Ingle?")
    page.get_by_label("Temperature").fill("0")
    page.get_by_role("button", name="Run").click()
    output = page.get_by_role("region", name="Output")
    expect(output).to_contain_text("Ingle runs open models on your own machine")
    expect(page.get_by_text(re.compile("^Took "))).to_be_visible()
    assert serious_findings(page) == []
    page.get_by_text("Raw", exact=True).click()
    expect(page.get_by_label("json code")).to_contain_text('"role": "assistant"')
    page.get_by_label("Stream the output").uncheck()
    page.get_by_text("Code", exact=True).click()
    code = page.get_by_label("Python", exact=True).inner_text()
    expect(page.get_by_label("curl", exact=True)).to_contain_text(
        "/api/processors/localai/chatgpt/run"
    )
    expect(page.get_by_label("JavaScript", exact=True)).to_contain_text("await fetch")
    assert serious_findings(page) == []
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert "Ingle runs open models on your own machine" in ran.stdout


def test_form_and_json_are_two_views_of_one_thing(open_page: OpenPage) -> None:
    """What the form has, JSON shows; what JSON says, the form has, and what is no JSON says so."""
    page = open_page("/playground/ingle/template")
    page.get_by_text("JSON", exact=True).click()
    box = page.get_by_label("Input as JSON")
    box.fill('{"text": ')
    expect(page.get_by_role("alert")).to_contain_text("This is not JSON yet")
    box.fill(json.dumps({"text": "Hello, Ada!"}))
    page.get_by_role("button", name="Run").click()
    expect(page.get_by_role("region", name="Output")).to_have_text("Hello, Ada!")
    page.get_by_text("Form", exact=True).click()
    expect(page.get_by_label("Text")).to_have_value("Hello, Ada!")


def test_a_fault_is_told_at_its_field(open_page: OpenPage) -> None:
    """What the server finds wrong stands below the field that is wrong."""
    page = open_page("/playground")
    field = page.get_by_label("Max tokens")
    field.fill("0")
    page.get_by_role("button", name="Run").click()
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_accessible_description(re.compile("must be greater than or equal to 1"))
