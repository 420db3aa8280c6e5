"""The text that the demo model learns from, all of it written by these modules."""

from corpus.mixture import generate

__all__ = ["generate"]
