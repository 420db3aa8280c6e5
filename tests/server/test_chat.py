"""`/v1/chat/completions` with the demo model, as OpenAI's own client sees it."""

from __future__ import annotations

import json

import openai
import pytest
from conftest import Caller
from openai.types.chat import ChatCompletionMessageParam, ChatCompletionToolParam

HELLO: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Hello!"}]
