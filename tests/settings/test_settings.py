"""Where settings come from, and what happens when they are wrong."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ingle.errors import ConfigurationError, StorageError
from ingle.settings import Settings, Source, load_settings, set_in_file, unset_in_file

KEY = "sk-0123456789abcdefWXYZ"


def write_config(home: Path, text: str) -> None:
    home.mkdir(exist_ok=True)
    (home / "config.yaml").write_text(text)


def load(home: Path, environ: dict[str, str] | None = None, **overrides: object) -> Settings:
    return load_settings(environ={"INGLE_HOME": str(home)} | (environ or {}), overrides=overrides)


def test_defaults_need_nothing(home: Path) -> None:
    """Without a file or variables everything has its default, and nothing is created."""
    settings = load(home)
    assert (settings.host, settings.port, settings.slots) == ("127.0.0.1", 4645, 4)
    assert settings.source("port") == Source("default")
    assert not home.exists()


def test_precedence(home: Path) -> None:
    """The command line wins over the environment, that over the file, that over the default."""
    write_config(home, "port: 1\nslots: 1\nthreads: 1\n")
    settings = load(home, {"INGLE_PORT": "2", "INGLE_SLOTS": "2"}, port=3)
    assert (settings.port, settings.slots, settings.threads) == (3, 2, 1)
    assert str(settings.source("port")) == "command line"
    assert str(settings.source("slots")) == "environment INGLE_SLOTS"
    assert str(settings.source("threads")) == f"file {home}/config.yaml line 3"


def test_not_given(home: Path) -> None:
    """An empty variable, a null in the file and None on the command line count as not given."""
    write_config(home, "port:\nslots: ~\nthreads: null\n")
    settings = load(home, {"INGLE_PORT": "", "INGLE_SLOTS": " "}, host=None)
    assert (settings.port, settings.slots, settings.threads) == (4645, 4, None)


@pytest.mark.parametrize(
    ("text", "size_bytes"),
    [
        ("1500000", 1_500_000),
        ("6GiB", 6_442_450_944),
        ("6G", 6_442_450_944),
        ("6 gb", 6_000_000_000),
        ("512MiB", 536_870_912),
        ("1.5k", 1_536),
        ("2T", 2_199_023_255_552),
    ],
)
def test_sizes(home: Path, text: str, size_bytes: int) -> None:
    """A size is written in bytes or with a unit."""
    assert load(home, {"INGLE_MEMORY_LIMIT_BYTES": text}).memory_limit_bytes == size_bytes


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("INGLE_PORT", "abc", "valid integer"),
        ("INGLE_PORT", "65536", "less than or equal to 65535"),
        ("INGLE_PORT", "-1", "greater than or equal to 0"),
        ("INGLE_PORT", "80.5", "valid integer"),
        ("INGLE_PORT", "tcp://10.0.0.1:4645", "valid integer"),
        ("INGLE_THREADS", "0", "greater than or equal to 1"),
        ("INGLE_SLOTS", "true", "valid integer"),
        ("INGLE_DRAIN_S", "nan", "finite"),
        ("INGLE_DRAIN_S", "inf", "finite"),
        ("INGLE_IDLE_STOP_S", "0", "greater than 0"),
        ("INGLE_IDLE_STOP_S", "15m", "valid number"),
        ("INGLE_MEMORY_LIMIT_BYTES", "6 apples", "512MiB or 6G"),
        ("INGLE_MEMORY_LIMIT_BYTES", "0", "greater than or equal to 1"),
        ("INGLE_MEMORY_LIMIT_BYTES", "9" * 400, "512MiB or 6G"),
        ("INGLE_MEMORY_LIMIT_BYTES", "9999999T", "less than or equal to"),
        ("INGLE_LOG_LEVEL", "loud", "'debug', 'info', 'warning' or 'error'"),
        ("INGLE_HOST", "http://box", "without a port"),
        ("INGLE_HOST", "box:80", "without a port"),
        ("INGLE_HTTP_ALLOW", "10.0.0.1/8", "has host bits set"),
        ("INGLE_HTTP_ALLOW", "10.0.0.256", "does not appear to be an IPv4 or IPv6 network"),
        ("INGLE_HTTP_ALLOW", "nas.local,a b", "no host's name"),
        ("INGLE_HTTP_ALLOW", "http://nas", "does not appear to be"),
        ("INGLE_HOME", "~nobody-of-this-name/x", "cannot be found"),
    ],
)
def test_wrong_value(home: Path, variable: str, text: str, reason: str) -> None:
    """A wrong value stops the program; the error names setting, value, variable and reason."""
    with pytest.raises(ConfigurationError) as raised:
        load(home, {variable: text})
    message = raised.value.message
    assert variable.removeprefix("INGLE_").lower() in message
    assert f"(environment {variable})" in message
    assert text in message
    assert reason in message
    assert "Example: " in message


def test_wrong_value_in_file(home: Path) -> None:
    """An error about the file names it and the line; all wrong values are told at once."""
    write_config(home, "# mine\nport: no\n\nslots: 900\n")
    with pytest.raises(ConfigurationError) as raised:
        load(home)
    first, second = raised.value.message.splitlines()
    assert first.startswith(f"`port` is 'no' (file {home}/config.yaml line 2): it should be")
    assert second.startswith(f"`slots` is '900' (file {home}/config.yaml line 4): it should be")


def test_yaml_does_not_guess(home: Path) -> None:
    """A value means what is written: YAML's `no`, `0123` and `1:30` stay text."""
    write_config(
        home,
        "default_model: no\nport: 010\nconnections: {box: {base_url: box, api_key: 0123}}\n",
    )
    settings = load(home)
    assert settings.default_model == "no"
    assert settings.port == 10
    assert settings.connections["box"].api_key == "0123"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("prot: 1", "There is no setting `prot` (file {file} line 1). Did you mean `port`?"),
        ("sources: {}\nsource: 1", "There is no setting `source`"),
        ("conections: {a: {base_url: x}}", "Did you mean `connections`?"),
        (
            "connections: {a: {base_url: x, apikey: sk-secret}}",
            "`connections.a.apikey` (file {file} line 1). Did you mean `api_key`?",
        ),
        ("home: /tmp", "cannot be set in the folder that it names. Set INGLE_HOME."),
        ("connections: http://box", "`connections` (file {file} line 1) must hold names"),
        ("connections: {a: http://box}", "`connections.a` (file {file} line 1) must hold names"),
        ("connections: {local: {base_url: x}}", "cannot be called 'local'"),
        ("connections: {Big Box: {base_url: x}}", "'Big Box' is not a connection's name"),
        ("connections: {a: {api_key: sk-secret}}", "`connections.a.base_url` is not set"),
        ("connections: {a: {base_url: 'u:sk-secret@x'}}", "holds no name or password"),
        ("connections: {a: {base_url: x, api_key: [sk-secret]}}", "valid string"),
        ("connections: {a: {base_url: x, api_key: 'sk-secret é'}}", "visible ASCII"),
        ("database_url: 'mysql://sk-secret@x'", "begins with sqlite: or postgresql:"),
    ],
)
def test_wrong_file(home: Path, text: str, message: str) -> None:
    """Each mistake in the file gets its own message, and none shows a secret."""
    write_config(home, text)
    with pytest.raises(ConfigurationError) as raised:
        load(home)
    assert message.format(file=home / "config.yaml") in raised.value.message
    assert "sk-secret" not in f"{raised.value}{raised.value.__cause__}"


def test_unknown_variable(home: Path) -> None:
    """A variable with a slip in its name is no silent default."""
    with pytest.raises(ConfigurationError, match=r"INGLE_PROT.*Did you mean `INGLE_PORT`"):
        load(home, {"INGLE_PROT": "1"})


def test_unknown_override(home: Path) -> None:
    """So is a name on the command line."""
    with pytest.raises(ConfigurationError, match=r"`prot` .command line.*Did you mean `port`"):
        load(home, prot=1)


def test_localai_from_the_environment(home: Path) -> None:
    """LocalAI's URL and key are the connection `localai`; Ingle's own names win."""
    settings = load(home, {"LOCALAI_BASE_URL": "http://a", "LOCALAI_API_KEY": "key-a"})
    assert settings.connections["localai"].base_url == "http://a"
    assert settings.connections["localai"].api_key == "key-a"
    settings = load(home, {"LOCALAI_BASE_URL": "http://a", "INGLE_LOCALAI_BASE_URL": "http://b"})
    assert settings.connections["localai"].base_url == "http://b"
    assert str(settings.source("connections.localai.base_url")) == (
        "environment INGLE_LOCALAI_BASE_URL"
    )


def test_localais_own_key_alone_is_not_ours(home: Path) -> None:
    """LOCALAI_API_KEY without a base URL is meant for a LocalAI server on this machine."""
    assert load(home, {"LOCALAI_API_KEY": "key-a"}).connections == {}


def test_connections_by_variables(home: Path) -> None:
    """Any connection can come from variables; one with `-` in the file is found by `_`."""
    write_config(home, "connections:\n  big-box:\n    base_url: http://big\n")
    settings = load(
        home,
        {
            "INGLE_CONNECTION_BIG_BOX_API_KEY": "key-b",
            "INGLE_CONNECTION_SMALL_BASE_URL": "http://small",
        },
    )
    assert sorted(settings.connections) == ["big-box", "small"]
    assert settings.connections["big-box"].api_key == "key-b"


def test_key_stays_with_its_server(home: Path) -> None:
    """A base URL from the environment does not get the key that the file has for another one."""
    write_config(home, "connections: {localai: {base_url: http://a, api_key: key-a}}")
    settings = load(home, {"LOCALAI_BASE_URL": "http://b"})
    assert settings.connections["localai"].base_url == "http://b"
    assert settings.connections["localai"].api_key is None


def test_variables_of_other_tools(home: Path) -> None:
    """What users of huggingface_hub and Ollama have set holds here too; Ingle's own names win."""
    theirs = {
        "HF_ENDPOINT": "https://mirror/",
        "HF_TOKEN": "hf_theirs",
        "HF_HUB_CACHE": "/srv/hub",
        "OLLAMA_MODELS": "/srv/ollama",
    }
    settings = load(home, theirs)
    assert settings.huggingface_url == "https://mirror"
    assert settings.huggingface_token == "hf_theirs"
    assert (settings.huggingface_cache, settings.ollama_models) == (
        Path("/srv/hub"),
        Path("/srv/ollama"),
    )
    assert load(home, {**theirs, "INGLE_HUGGINGFACE_TOKEN": "ours"}).huggingface_token == "ours"


@pytest.mark.parametrize(
    ("file", "environ", "token"),
    [
        ("huggingface_token: t", {"HF_ENDPOINT": "https://other"}, None),
        ("huggingface_url: https://mirror", {"HF_TOKEN": "t"}, None),
        ("huggingface_url: https://mirror", {"INGLE_HUGGINGFACE_TOKEN": "t"}, "t"),
        ("huggingface_url: https://mirror\nhuggingface_token: t", {}, "t"),
        ("", {"HF_TOKEN": "t"}, "t"),
    ],
)
def test_token_stays_with_its_hub(
    home: Path, file: str, environ: dict[str, str], token: str | None
) -> None:
    """A token is not sent to a hub whose URL was set elsewhere than it."""
    write_config(home, file)
    assert load(home, environ).huggingface_token == token


def test_secrets_are_not_shown(home: Path) -> None:
    """Neither repr nor the description of the settings holds a secret."""
    settings = load(
        home,
        {
            "LOCALAI_BASE_URL": "http://a",
            "LOCALAI_API_KEY": KEY,
            "INGLE_DATABASE_URL": f"postgresql://u:p@{KEY}@db/x",
            "INGLE_HUGGINGFACE_TOKEN": KEY,
        },
    )
    described = {setting.name: setting for setting in settings.describe()}
    assert KEY not in f"{settings!r}{settings}{described}"
    assert described["connections.localai.api_key"].value == "…WXYZ"
    assert described["connections.localai.api_key"].variable == "INGLE_LOCALAI_API_KEY"
    assert described["huggingface_token"].value == "…WXYZ"
    assert described["database_url"].value == "postgresql://…"


def test_every_setting_is_documented() -> None:
    """Each field has a description that is a sentence, and an example."""
    for setting in Settings().describe():
        assert setting.description.endswith("."), setting.name
        assert setting.example, setting.name
        assert setting.variable == f"INGLE_{setting.name.upper()}"


def test_examples_are_valid(home: Path) -> None:
    """The example of each setting can be set."""
    for setting in Settings().describe():
        load(home, {setting.variable: setting.example})


def test_set_in_file(home: Path) -> None:
    """A setting is written where the next start reads it; file and folder are the owner's only."""
    settings = load(home)
    set_in_file(settings, "port", "5000")
    assert (home / "config.yaml").read_text() == "port: 5000\n"
    assert load(home).port == 5000
    assert (home / "config.yaml").stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    unset_in_file(settings, "port")
    assert (home / "config.yaml").read_text() == ""


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("port", "99999", "`port` is '99999' (command line)"),
        ("prot", "5000", "Did you mean `port`?"),
        ("home", "/tmp", "Set INGLE_HOME instead"),
        ("connections.localai.api_key", "k", "Use `ingle connections`"),
    ],
)
def test_set_in_file_refuses(home: Path, name: str, value: str, message: str) -> None:
    """What would not be read back is not written."""
    with pytest.raises(ConfigurationError) as raised:
        set_in_file(load(home), name, value)
    assert message in raised.value.message
    assert not home.exists()


def test_home_is_a_file(tmp_path: Path) -> None:
    """A file where the folder should be is an error that says so."""
    (tmp_path / "home").write_text("")
    with pytest.raises(StorageError, match=r"cannot be read: Not a directory.*INGLE_HOME"):
        load(tmp_path / "home")


def test_config_is_a_folder(home: Path) -> None:
    """So is a folder where the file should be."""
    (home / "config.yaml").mkdir(parents=True)
    with pytest.raises(ConfigurationError, match=r"config\.yaml is not a file"):
        load(home)


def test_importing_is_light() -> None:
    """Importing the settings loads neither the database nor the web server's libraries."""
    code = (
        "import sys, ingle.settings; heavy = {'sqlalchemy', 'alembic', 'cryptography', 'fastapi', "
        "'aiohttp', 'uvicorn'}; sys.exit(', '.join(heavy & set(sys.modules)) or 0)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert (ended.returncode, ended.stderr) == (0, "")
