"""The command line: `ingle`. A file a verb; each imports what it needs when it runs."""

from ingle.cli.app import main

__all__ = ["main"]
