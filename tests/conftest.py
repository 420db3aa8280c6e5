"""What every test stands on: a home of its own, and none of the developer's settings."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty `INGLE_HOME`; whatever the developer's own environment sets is out of the way."""
    for name in list(os.environ):
        if name.startswith(("INGLE_", "LOCALAI_", "HF_", "OLLAMA_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home"
    monkeypatch.setenv("INGLE_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of an own PostgreSQL server, without a database; skips where none is installed."""
    programs = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not programs:
        pytest.skip("PostgreSQL is not installed: `apt-get install postgresql` brings it.")
    programs_folder = programs[-1].parent
    folder = Path(tempfile.mkdtemp(prefix="ingle-postgres-"))
    user = "postgres" if os.geteuid() == 0 else None  # it refuses to run as root

    def run(*command: str) -> None:
        subprocess.run(command, user=user, check=True, capture_output=True, timeout=60, cwd=folder)

    if user is not None:
        shutil.chown(folder, user)
    data = str(folder / "data")
    options = f"-k {folder} -c listen_addresses= -c fsync=off -c max_connections=50"
    run(f"{programs_folder}/initdb", "-D", data, "-A", "trust", "-U", "ingle", "--no-sync")
    control = f"{programs_folder}/pg_ctl"
    run(control, "-D", data, "-o", options, "-l", f"{folder}/log", "-w", "start")
    try:
        yield f"postgresql+psycopg://ingle@/{{}}?host={folder}"
    finally:
        run(control, "-D", data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """The URL of an empty PostgreSQL database, which is dropped after the test."""
    name = f"test_{secrets.token_hex(6)}"
    engine = sa.create_engine(postgres_server.format("postgres"), isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql(f"CREATE DATABASE {name}")
            yield postgres_server.format(name)
            connection.exec_driver_sql(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        engine.dispose()
