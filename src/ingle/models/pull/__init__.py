"""Pulling models: from Hugging Face, Ollama's registry, any OCI registry, a URL or a local file.

`install.pull` is the way in. A source's text is parsed (`source`), what it names is asked of its
server (`hub`, `ollama`, `oci`, `url`, `local`) and becomes a plan of files (`plan`); the files are
transferred into a hidden folder (`transfer`, `part`), and one rename makes the model appear.
"""
