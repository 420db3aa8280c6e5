"""Ranges of what steers the choice of tokens, as OpenAI's API has them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

__all__ = ["LogitBias", "Penalty"]

Penalty = Annotated[float, Field(ge=-2, le=2)] | None
LogitBias = dict[str, Annotated[float, Field(ge=-100, le=100)]] | None
