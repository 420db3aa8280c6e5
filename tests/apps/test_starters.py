"""The apps to begin with: each is there, reads well, and does on the demo model what it says."""

from __future__ import annotations

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio

from ingle.apps.app import App
from ingle.apps.check import load
from ingle.apps.starters import STARTERS, starter
from ingle.errors import AppNotFound
from ingle.runs.app_tests import run_test
from ingle.runs.work import work_of
from ingle.runtime import Runtime, open_runtime
from ingle.settings import load_settings


def app_of(slug: str) -> App:
    return load(starter(slug), f"{slug}.yaml")


@pytest.mark.parametrize("slug", STARTERS)
def test_each_starter_is_an_app_with_tests(slug: str) -> None:
    """Its slug is its file's name, it says what it does, and it can be read at one glance."""
    app = app_of(slug)
    assert app.slug == slug
    assert app.description
    assert app.tests
    assert len(starter(slug).splitlines()) <= 60
    assert all(len(line) <= 100 for line in starter(slug).splitlines())


def test_the_last_one_is_llmstacks() -> None:
    """It is written in LLMStack's form, and asks for the two languages."""
    assert "processor_slug: chatgpt" in starter("language-translator")
    app = app_of("language-translator")
    assert list(app.fields) == ["input", "input_language", "output_language"]


def test_an_unknown_starter_is_told() -> None:
    """With those that there are."""
    with pytest.raises(AppNotFound, match="There are: chat, summarise-a-file"):
        starter("nothing")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def runtime(
    tmp_path_factory: pytest.TempPathFactory,
) -> AsyncGenerator[Runtime, None]:
    """One Ingle for all."""
    home = tmp_path_factory.mktemp("home")
    async with open_runtime(load_settings(environ={"INGLE_HOME": str(home)})) as runtime:
        yield runtime


@pytest.mark.parametrize("slug", STARTERS)
@pytest.mark.asyncio(loop_scope="module")
async def test_each_starter_does_what_it_says(slug: str, runtime: Runtime) -> None:
    """Its own tests pass on the demo model, run by the real engine."""
    app = app_of(slug)
    work = work_of(runtime.router, lambda slug: None)
    for number, test in enumerate(app.tests):
        outcome = await run_test(app, test, f"{slug} {number}", work, runtime.router)
        assert outcome.wrong == (), outcome.value
