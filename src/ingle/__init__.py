"""Ingle: open models on your own machine, and the AI apps built on them."""
