"""The small parts: names, the choice of a quantisation, rates, the lock."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from ingle.errors import InvalidRequest, ModelFileInvalid, ModelTooLarge, UpstreamRefused
from ingle.models.pull.lock import exclusive
from ingle.models.pull.names import check_file_name, model_name, refuse_code
from ingle.models.pull.patience import Patience
from ingle.models.pull.progress import Meter
from ingle.models.pull.quantisation import Listed, choose, projector, variants
from ingle.models.pull.throttle import Throttle

GB = 10**9
# The sizes of an 8B model, as its usual publishers list them.
EIGHT_B = {
    "F16": 16.1, "Q8_0": 8.54, "Q6_K": 6.6, "Q5_K_M": 5.73, "Q4_K_M": 4.92, "IQ4_XS": 4.45,
    "Q3_K_M": 4.02, "IQ3_M": 3.78, "Q2_K": 3.18,
}  # fmt: skip


def listed(sizes: dict[str, float]) -> list[Listed]:
    return [Listed(f"Model-8B-{quant}.gguf", int(size * GB)) for quant, size in sizes.items()]


@pytest.mark.parametrize(
    ("memory_gb", "quant", "why"),
    [
        (64, "Q8_0", "the best that takes less than a third of the memory"),
        (24, "Q6_K", "the best that takes less than a third of the memory"),
        (12, "Q4_K_M", "the usual balance of quality and size"),
        (6, "IQ4_XS", "the best up to the usual Q4_K_M that is there and fits"),
        (5, "IQ3_M", "the best up to the usual Q4_K_M that is there and fits"),
        (4.2, "Q2_K", "the best up to the usual Q4_K_M that is there and fits"),
    ],
)
def test_choice_for_memory(memory_gb: float, quant: str, why: str) -> None:
    """More memory gets better weights, but never so large that nothing fits beside them."""
    found = choose(variants(listed(EIGHT_B)), None, int(memory_gb * GB))
    assert found.variant.quant == quant
    assert found.why.startswith(f"{quant}, {EIGHT_B[quant]:.1f} GB: {why}. With its context")


def test_choice_without_memory() -> None:
    """If the memory is not known, the usual balance is taken."""
    assert choose(variants(listed(EIGHT_B)), None, None).variant.quant == "Q4_K_M"


def test_nothing_fits() -> None:
    """What would be needed is told."""
    with pytest.raises(ModelTooLarge, match=r"Even Q2_K, 3.2 GB, needs about 4.1 GB"):
        choose(variants(listed(EIGHT_B)), None, 2 * GB)


@pytest.mark.parametrize(
    ("name", "quant"),
    [
        ("gemma-3-4b-it-Q4_K_M.gguf", "Q4_K_M"),
        ("Qwen3-4B-UD-Q4_K_XL.gguf", "UD-Q4_K_XL"),
        ("mistral-7b-instruct-v0.2.Q5_K_S.gguf", "Q5_K_S"),
        ("qwen2.5-0.5b-instruct-q4_0.gguf", "Q4_0"),
        ("Meta-Llama-3-8B-IQ2_XXS.gguf", "IQ2_XXS"),
        ("gpt-oss-20b-mxfp4.gguf", "MXFP4"),
        ("gpt-oss-20b-MXFP4_MOE.gguf", "MXFP4_MOE"),
        ("nomic-embed-text-v1.5.f16.gguf", "F16"),
        ("model-BF16.gguf", "BF16"),
        ("Q8_0/model.gguf", "Q8_0"),
        ("model.gguf", ""),
        ("SQ4_0rt.gguf", ""),
    ],
)
def test_quantisations_in_names(name: str, quant: str) -> None:
    """A quantisation is read from a name as publishers write it."""
    assert [variant.quant for variant in variants([Listed(name, 1)])] == [quant]


def test_grouping() -> None:
    """Split files are one variant, in order; incomplete ones, projectors and matrices are none."""
    names = [
        "b-Q8_0-00002-of-00002.gguf",
        "b-Q8_0-00001-of-00002.gguf",
        "c-Q8_0-00001-of-00002.gguf",
        "mmproj-model-f16.gguf",
        "model.mmproj-Q8_0.gguf",
        "imatrix.gguf",
        "README.md",
    ]
    files = [Listed(name, 10) for name in names]
    (found,) = variants(files)
    assert [file.name for file in found.files] == sorted(names[:2])
    assert found.size_bytes == 20
    eyes = projector(files)
    assert eyes is not None
    assert eyes.name == "mmproj-model-f16.gguf"


def test_wanted() -> None:
    """A quantisation is found whatever its case; one that fits several files is asked about."""
    found = variants(
        [Listed("a-UD-Q4_K_XL.gguf", 1), Listed("a-Q4_K_M.gguf", 1), Listed("x/b-Q4_K_M.gguf", 1)]
    )
    assert choose(found, "q4_k_xl", None).variant.files[0].name == "a-UD-Q4_K_XL.gguf"
    assert choose(found, "b-q4_k_m.gguf", None).variant.files[0].name == "x/b-Q4_K_M.gguf"
    with pytest.raises(InvalidRequest, match="fits several files"):
        choose(found, "Q4_K_M", None)
    with pytest.raises(InvalidRequest, match="cannot be told from their names"):
        choose(variants([Listed("a.gguf", 1), Listed("b.gguf", 1)]), None, None)


def test_whole_and_split() -> None:
    """Of a file that is published both whole and split the whole one is taken."""
    files = [Listed("c-q8_0.gguf", 20)]
    files += [Listed(f"c-q8_0-0000{number}-of-00002.gguf", 10) for number in (1, 2)]
    for wanted in (None, "Q8_0"):
        assert choose(variants(files), wanted, None).variant.files[0].name == "c-q8_0.gguf"


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", "../x", "a/../b", "/x", "a//b", "a\\b", "C:x", "a\x00b", "a\nb", "\u202ex",
        ".hidden", "x.", "x ", " x", "NUL", "com1.gguf", "x" * 300, "/".join("abcdefghi"), "a*b",
        "\ud800",
    ],
)  # fmt: skip
def test_names_refused(name: str) -> None:
    """No name leaves its folder, means another thing on another system, or steers a terminal."""
    with pytest.raises(ModelFileInvalid):
        check_file_name(name)


@pytest.mark.parametrize(
    "name", ["x.gguf", "unet/model.safetensors", "Qwen3 (4B)+é.gguf", "console"]
)
def test_names_taken(name: str) -> None:
    """Usual names are left as they are."""
    assert check_file_name(name) == name


@pytest.mark.parametrize(
    "suffix", ["bin", "pt", "pth", "ckpt", "pkl", "pickle", "PT", "zip", "tgz"]
)
def test_code_refused(suffix: str) -> None:
    """Pickles and archives are refused by their names."""
    with pytest.raises(ModelFileInvalid):
        refuse_code(f"model.{suffix}")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Qwen3-4B-Q4_K_M", "qwen3-4b-q4_k_m"),
        ("Ünïcode Modèl", "unicode-model"),
        ("模型", "model"),
        ("..", "model"),
        ("CON", "model"),
        ("a" * 200, "a" * 128),
    ],
)
def test_model_names(text: str, name: str) -> None:
    """A model's name is plain, whatever it is made of."""
    assert model_name(text) == name


def test_meter() -> None:
    """Rate and remaining time come from the last seconds, and what was there before does not count."""
    now = 100.0
    meter = Meter(lambda: now)
    meter.set("a", 4000, 10_000)
    assert meter.read("downloading", "m").rate_bytes_s is None
    for _ in range(10):
        now += 1
        meter.advance("a", 100)
        told = meter.read("downloading", "m")
    assert (told.done_bytes, told.total_bytes, told.file) == (5000, 10_000, "a")
    assert told.rate_bytes_s == pytest.approx(100)
    assert told.eta_s == pytest.approx(50)
    meter.set("b", 0, None)
    assert meter.read("downloading", "m").total_bytes is None


async def test_throttle_is_shared() -> None:
    """Several callers together stay under the rate."""
    throttle = Throttle(1_000_000)
    loop = asyncio.get_running_loop()
    before = loop.time()
    await asyncio.gather(*(throttle.spend(100_000) for _ in range(5)))
    assert loop.time() - before >= 0.24


def test_patience() -> None:
    """Pauses grow to a bound; what will not pass is not tried again."""
    patience = Patience(tries=5, pause_s=1, longest_pause_s=4)

    def refused(status: int, after_s: float | None = None) -> UpstreamRefused:
        return UpstreamRefused("x", url="u", status=status, retry_after_s=after_s)

    for failures, bound in ((0, 1), (1, 1), (2, 2), (3, 4), (4, 4)):
        pause_s = patience.pause_after(refused(503), failures)
        assert pause_s is not None
        assert bound / 2 <= pause_s <= bound
    assert patience.pause_after(refused(503), 5) is None
    assert patience.pause_after(refused(404), 1) is None
    assert patience.pause_after(refused(429, 3), 1) == 3
    assert patience.pause_after(refused(429, 5), 1) is None


async def test_lock_of_another_process(tmp_path: Path) -> None:
    """A lock that another process holds is waited for, and is free as soon as that one is killed."""
    path = tmp_path / "x.lock"
    script = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from ingle.models.pull.lock import exclusive\n"
        "async def hold():\n"
        "    async with exclusive(Path(sys.argv[1]), lambda: None):\n"
        "        print('held', flush=True)\n"
        "        await asyncio.sleep(60)\n"
        "asyncio.run(hold())\n"
    )
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(path), stdout=asyncio.subprocess.PIPE
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"held\n"
    is_waiting = asyncio.Event()

    async def take() -> None:
        async with exclusive(path, is_waiting.set):
            pass

    taking = asyncio.create_task(take())
    await is_waiting.wait()
    child.kill()
    async with asyncio.timeout(10):
        await taking
    assert not path.exists()
    await child.communicate()
