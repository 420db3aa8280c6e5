"""Manifests: what they may say, and what is told of one that is wrong."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from ingle.engines.verdict import verdict
from ingle.errors import ConfigurationError, ModelFileInvalid
from ingle.models.manifest import Manifest, Model, read_manifest, update_manifest
from ingle.models.parameters import Parameters
from ingle.models.store import Models
from ingle.models.text_options import TextOptions
from ingle.settings import load_settings
from ingle.testing.tiny_model import ModelShape, write_model
from ingle.testing.tiny_parts import write_adapter, write_projector

DOCS = Path(__file__).parents[2] / "docs" / "models.md"


@pytest.fixture
def models() -> Models:
    models = Models(load_settings())
    models.folder.mkdir(parents=True)
    write_model(models.folder / "m.gguf")
    return models


def fault(models: Models, text: str) -> str:
    """What is told of the model `m` with this manifest."""
    (models.folder / "m.yaml").write_text(text)
    with pytest.raises((ConfigurationError, ModelFileInvalid)) as caught:
        models.get("m")
    return caught.value.message


def with_manifest(models: Models, text: str) -> Model:
    (models.folder / "m.yaml").write_text(text)
    return models.get("m")


def test_the_example_of_the_docs_is_a_manifest(models: Models) -> None:
    """The page's example with all fields loads as it stands, each of its files being there."""
    text = DOCS.read_text().partition("```yaml\n")[2].partition("```")[0]
    path = models.folder / "qwen3-4b.yaml"
    text = text.replace("3b1f…", "ab" * 32)
    path.write_text(text)
    write_model(models.folder / "qwen3-4b-q4_k_m.gguf")
    write_model(models.folder / "qwen3-0.6b-q8_0.gguf")
    write_projector(models.folder / "mmproj-qwen3-4b.gguf")
    write_adapter(models.folder / "pirate.gguf")
    (models.folder / "qwen3.jinja").write_text("{{ messages[0].content }}")

    model = models.get("gpt-4o-mini")
    assert model.name == "qwen3-4b"
    assert model.capabilities == ("chat", "completions", "embeddings", "vision")
    assert model.text.chat_template == "{{ messages[0].content }}"
    assert model.text.projector is not None
    assert model.text.draft is not None
    assert [(each.part.path.name, each.scale) for each in model.text.lora] == [("pirate.gguf", 0.5)]
    assert model.text.parameters.system_prompt == "You are a helpful assistant."
    untouched = [
        name
        for name in TextOptions.__dataclass_fields__
        if getattr(model.text, name) == getattr(TextOptions(), name)
    ]
    assert untouched == []
    assert [model.name for model in models.list() if not model.is_builtin] == ["m", "qwen3-4b"]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("name: m\nslot: 2\n", "line 2: the field `slot` is unknown, did you mean `slots`?"),
        ("zzz: 2\n", "line 1: the field `zzz` is unknown, and there are: aliases, "),
        (
            "slots: 1\nparameters:\n  temprature: 1\n",
            "line 3: the field `parameters.temprature` is unknown, did you mean `temperature`?",
        ),
        (
            "lora:\n- {file: a.gguf}\n- {fil: a.gguf}\n",
            "line 3: `lora.1.file`: field required",
        ),
        (
            "parameters: {temperature: 9}",
            "line 1: `parameters.temperature`: input should be less than or equal to 2",
        ),
        ("\ncontext_tokens: many\n", "line 2: `context_tokens`: input should be a valid integer"),
        ("cache_type_k: q3\n", "line 1: `cache_type_k`: input should be 'f32', 'f16', 'bf16', "),
        ("file: ../x.gguf\n", "line 1: `file`: '../x.gguf' is no file name; the file lies beside"),
        ("gpu_layers: -2\n", "line 1: `gpu_layers`: input should be greater than or equal to 0"),
        ("sha256: abc\n", "line 1: `sha256`: string should match pattern"),
        ("- a\n", "the whole file: input should be fields"),
        ("aliases: a\n", "line 1: `aliases`: input should be a list"),
        ("a: [\n", "it is no valid YAML: "),
    ],
)
def test_what_is_wrong_is_told_with_its_line(models: Models, text: str, told: str) -> None:
    """A wrong manifest names itself, the line, the field, and what was meant or may be."""
    message = fault(models, text)

    assert message.startswith(f"The model manifest {models.folder / 'm.yaml'} cannot be used: ")
    assert told in message


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "projector: m2.gguf\n",
            "as its `projector`, and that file holds no projector but a model",
        ),
        ("lora: [{file: eyes.gguf}]\n", "`lora`, and that file holds no adapter but a projector"),
        ("draft_model: lora.gguf\n", "`draft_model`, and that file holds no model but an adapter"),
        ("projector: none.gguf\n", "none.gguf is not there"),
        ("lora: [{file: text.gguf}]\n", "text.gguf cannot be used: it is no GGUF file"),
        ("chat_template: no.jinja\n", "no.jinja cannot be read"),
        ("chat_template: ../no.jinja\n", "has to lie beside the manifest"),
        ("capabilities: [images]\n", "capabilities images, and a text model can have"),
        ("capabilities: [chat, vision]\n", "names no file that sees"),
        ("draft_model: big.gguf\n", "has 400 tokens (of kind gpt2) where the model has 259 (gpt2)"),
        ("engine: diffusers\n", "says `engine: diffusers`, and"),
    ],
)
def test_what_does_not_fit_the_files_is_told(models: Models, text: str, told: str) -> None:
    """A file that is not what its field says, or a capability that it cannot have, is an error."""
    write_model(models.folder / "m2.gguf")
    write_model(models.folder / "big.gguf", ModelShape(vocabulary=400))
    write_projector(models.folder / "eyes.gguf")
    write_adapter(models.folder / "lora.gguf")
    (models.folder / "text.gguf").write_text("hello")

    assert told in fault(models, text)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([*Manifest.model_fields, *Parameters.model_fields, "scale"])


@settings(max_examples=50)
@given(st.dictionaries(FIELDS, VALUES | st.dictionaries(FIELDS, VALUES, max_size=3), max_size=3))
def test_whatever_stands_in_it_is_read_or_told(
    tmp_path_factory: pytest.TempPathFactory, told: object
) -> None:
    """No value of YAML in any field makes more of it than a manifest, or an error that names it."""
    path = tmp_path_factory.getbasetemp() / "any.yaml"
    path.write_text(yaml.safe_dump(told), "utf-8")
    said = None
    try:
        read_manifest(path)
    except ConfigurationError as error:
        said = error.message
    assert said is None or said.startswith(f"The model manifest {path} cannot be used: line ")


def test_a_projector_gives_eyes(models: Models) -> None:
    """With a projector a model's chat takes pictures; the projector itself is no model."""
    write_projector(models.folder / "mmproj.gguf")

    assert "vision" in with_manifest(models, "projector: mmproj.gguf\n").capabilities
    assert "vision" not in with_manifest(models, "").capabilities
    assert [model.name for model in models.list() if not model.is_builtin] == ["m"]


def test_capabilities_can_be_said(models: Models) -> None:
    """A file that does not say that it is for embeddings or for scores is told to be."""
    assert with_manifest(models, "").purpose == "generate"
    model = with_manifest(models, "capabilities: [embeddings]\npooling: last\n")
    assert (model.purpose, model.capabilities, model.text.pooling) == (
        "embed",
        ("embeddings",),
        "last",
    )
    assert with_manifest(models, "capabilities: [rerank]\n").purpose == "rerank"


def test_one_end_mark_needs_no_list(models: Models) -> None:
    """`stop` may be one text."""
    model = with_manifest(models, "parameters: {stop: <end>}\n")
    assert model.text.parameters.stop == ("<end>",)


def test_a_model_answers_to_its_aliases(models: Models) -> None:
    """An alias leads to the model, which is listed once."""
    model = with_manifest(models, "aliases: [gpt-4, small]\n")

    assert models.get("gpt-4") == models.get("small") == model
    assert [model.name for model in models.list() if not model.is_builtin] == ["m"]


def test_an_alias_that_is_taken_is_told(models: Models) -> None:
    """Two models never answer to one name: who has it as an alias is damaged, and says whose it is."""
    write_model(models.folder / "n.gguf")
    (models.folder / "n.yaml").write_text("aliases: [gpt-4]\n")
    (models.folder / "m.yaml").write_text("aliases: [n]\n")
    assert (
        "has the alias 'n', and the model 'n' answers to that name"
        in models.damaged()[0].error.message
    )

    (models.folder / "m.yaml").write_text("aliases: [gpt-4]\n")
    assert models.get("gpt-4").name == "m"
    [damaged] = models.damaged()
    assert "'n' has the alias 'gpt-4', and the model 'm' answers" in damaged.error.message


def test_two_manifests_make_two_models_of_one_file(models: Models) -> None:
    """The same weights may be run in two ways; removing one leaves the other its files."""
    (models.folder / "cold.yaml").write_text("file: m.gguf\nparameters: {temperature: 0}\n")
    (models.folder / "hot.yaml").write_text("file: m.gguf\nparameters: {temperature: 1}\n")
    assert [model.name for model in models.list() if not model.is_builtin] == ["cold", "hot"]

    models.remove("cold")
    assert models.get("hot").text.parameters.temperature == 1
    models.remove("hot")
    assert list(models.folder.iterdir()) == []


def test_a_broken_manifest_goes_with_its_model(models: Models) -> None:
    """Removing a model whose manifest cannot be read removes that too."""
    (models.folder / "m.yaml").write_text("nonsense: 1\n")

    models.remove("m")
    assert list(models.folder.iterdir()) == []


def test_parts_are_part_of_the_model(models: Models) -> None:
    """With another adapter it is another model, so that its engine starts anew; with the same not."""
    write_adapter(models.folder / "a.gguf")
    model = with_manifest(models, "lora: [{file: a.gguf}]\n")
    assert with_manifest(models, "lora: [{file: a.gguf}]\n# news\n") == model

    write_adapter(models.folder / "a.gguf.new").replace(models.folder / "a.gguf")
    assert models.get("m") != model


@pytest.mark.parametrize("form", ["sha256: {}\n", "sha256: {{m.gguf: {}}}\n"])
async def test_a_sha256_is_compared(models: Models, form: str) -> None:
    """`ingle models verify` compares the digests that a manifest gives."""
    content = (models.folder / "m.gguf").read_bytes()
    right = hashlib.sha256(content).hexdigest()

    told = await verdict(with_manifest(models, form.format(right)))
    assert (told.compared, told.faults) == ("sha256", [])
    told = await verdict(with_manifest(models, form.format("ab" * 32)))
    assert told.faults == [f"m.gguf should have sha256 {'ab' * 32} but has {right}."]


def test_an_update_keeps_what_else_is_said(models: Models) -> None:
    """A manifest that a program changes still says what people wrote; a wrong change is refused."""
    path = models.folder / "m.yaml"
    update_manifest(path, {"aliases": ["a"]})
    update_manifest(path, {"context_tokens": 512, "lora": [{"file": "l.gguf", "scale": 2}]})

    text = "aliases:\n- a\ncontext_tokens: 512\nlora:\n- file: l.gguf\n  scale: 2\n"
    assert path.read_text() == text
    with pytest.raises(ConfigurationError, match="`slots`: input should be greater"):
        update_manifest(path, {"slots": 0})
    assert path.read_text() == text
