"""Speaking and listening: what the child process `ingle.engines.audio` is made of."""
