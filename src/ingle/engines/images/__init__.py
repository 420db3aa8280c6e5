"""Drawing images: what the child process `ingle.engines.diffusion` is made of."""
