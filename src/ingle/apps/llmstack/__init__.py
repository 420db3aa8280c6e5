"""LLMStack's app files in our own form. Nothing but the form is known here, not what apps do."""

from ingle.apps.llmstack.convert import Converted, from_llmstack, is_llmstack
from ingle.apps.llmstack.processors import instead_of

__all__ = ["Converted", "from_llmstack", "instead_of", "is_llmstack"]
