"""Apps to begin with, which work on the models of this machine alone. Their files are examples,
too: `starter(slug)` gives the text of one, for people to change."""

from __future__ import annotations

from importlib import resources

from ingle.errors import AppNotFound

__all__ = ["STARTERS", "starter"]

STARTERS = (
    "chat",
    "summarise-a-file",
    "translate",
    "extract-data",
    "rewrite",
    "answer-from-a-document",
    "story-with-a-picture",
    "classify-rows",
    "agent-with-tools",
    "language-translator",
)
"""The slugs of the apps, the simple ones first. The last is in LLMStack's form."""


def starter(slug: str) -> str:
    """The YAML text of a starter app.

    Raises:
        AppNotFound: there is none of this slug.
    """
    if slug not in STARTERS:
        raise AppNotFound(f"There is no starter app {slug!r}. There are: {', '.join(STARTERS)}.")
    return (resources.files(__name__) / f"{slug}.yaml").read_text(encoding="utf-8")
