"""A batch: rows in and results out, each row once, whatever happens in between."""

from __future__ import annotations

import asyncio
import json
import resource
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ingle.errors import Conflict, InvalidRequest, StorageError
from ingle.runs.batch import Progress, RowWork, run_batch
from ingle.runs.results import Results
from ingle.runs.rows import Row, read_rows, survey

Values = Mapping[str, Any]


async def shout(values: Values) -> Any:
    return values["word"].upper()


def words(path: Path, *words: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in ("word", *words)))
    return path


def results(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.is_file())


async def batch(
    rows: Path, out: Path, work: RowWork = shout, *, concurrency: int = 2, is_ordered: bool = True
) -> Progress:
    with Results(out, survey(rows).columns) as found:
        done = await run_batch(
            read_rows(rows), found, work, concurrency=concurrency, is_ordered=is_ordered
        )
        found.finish(is_whole=not done.failed)
    return done


async def test_results_stand_beside_their_rows(tmp_path: Path) -> None:
    """A result has its row's number and columns; of a whole batch nothing but the file is left."""
    done = await batch(words(tmp_path / "in.csv", "a", "b"), out := tmp_path / "out.jsonl")
    assert (done.done, done.failed) == (2, 0)
    assert results(out) == [
        {"_row": 0, "word": "a", "output": "A"},
        {"_row": 1, "word": "b", "output": "B"},
    ]
    assert names(tmp_path) == ["in.csv", "out.jsonl"]


async def test_a_failed_row_is_told_beside_the_others(tmp_path: Path) -> None:
    """A row's fault has its code; what nobody foresaw fails its row alone, without its text."""

    async def work(values: Values) -> Any:
        if values["word"] == "bad":
            raise InvalidRequest("`word` is bad.")
        if values["word"] == "odd":
            raise ZeroDivisionError("secret")
        return 1

    rows = words(tmp_path / "in.csv", "a", "bad", "odd")
    done = await batch(rows, tmp_path / "out.jsonl", work)
    found = results(tmp_path / "out.jsonl")
    assert (done.done, done.failed) == (3, 2)
    assert found[1]["_error"] == {"code": "invalid_request", "message": "`word` is bad."}
    assert found[2]["_error"]["code"] == "internal_error"
    assert "secret" not in json.dumps(found)


async def test_failed_rows_are_tried_again_and_stand_once(tmp_path: Path) -> None:
    """Forgetting the failed rows takes their lines out, and then they run like new ones."""
    rows, out = words(tmp_path / "in.csv", "a", "b", "c"), tmp_path / "out.jsonl"
    asked: list[str] = []

    async def fails_at_first(values: Values) -> Any:
        asked.append(values["word"])
        if values["word"] == "b" and asked.count("b") == 1:
            raise InvalidRequest("Not now.")
        return await shout(values)

    await batch(rows, out, fails_at_first)
    with Results(out, survey(rows).columns) as found:
        found.forget_failed()
        done = await run_batch(read_rows(rows), found, fails_at_first, concurrency=2)
    assert (done.done, done.failed) == (3, 0)
    assert asked == ["a", "b", "c", "b"]
    assert sorted(row["_row"] for row in results(out)) == [0, 1, 2]
    assert all("_error" not in row for row in results(out))


@pytest.mark.parametrize("ending", ["jsonl", "csv"])
async def test_a_torn_end_is_cut_off_and_its_row_runs_again(tmp_path: Path, ending: str) -> None:
    """Whatever byte a killed process came to, each row is there once in the end."""
    rows, whole = tmp_path / "in.jsonl", tmp_path / f"whole.{ending}"
    rows.write_text('{"word": "one"}\n{"word": "tw\\no, \\"quoted\\""}\n{"word": "three"}\n')
    await batch(rows, whole)
    content = whole.read_bytes()
    for length in range(len(content)):
        out = tmp_path / f"out.{ending}"
        out.write_bytes(content[:length])
        (tmp_path / f"out.{ending}.journal").write_bytes(b"")
        await batch(rows, out)
        assert out.read_bytes() == content


async def test_rows_that_changed_are_refused(tmp_path: Path) -> None:
    """A batch does not go on with a file whose done rows have other values now."""
    rows, out = words(tmp_path / "in.csv", "a", "b"), tmp_path / "out.jsonl"
    await batch(rows, out, _fails)
    words(rows, "a", "x")
    with pytest.raises(Conflict, match=r"Row 1 is not what it was when .*out\.jsonl was begun"):
        await batch(rows, out)


async def test_a_whole_file_is_not_overwritten(tmp_path: Path) -> None:
    """A file that no batch is writing is left alone."""
    rows, out = words(tmp_path / "in.csv", "a"), tmp_path / "out.jsonl"
    out.write_text("mine")
    with pytest.raises(Conflict, match="is there already"):
        await batch(rows, out)
    assert out.read_text() == "mine"


async def _fails(values: Values) -> Any:
    raise InvalidRequest("No.")


async def test_order_of_the_rows_is_kept_if_asked_for(tmp_path: Path) -> None:
    """A row that ends before an earlier one waits for it; without the order it is written first."""
    rows = words(tmp_path / "in.csv", "slow", "fast")
    for is_ordered, expected in ((True, ["slow", "fast"]), (False, ["fast", "slow"])):
        fast_is_done = asyncio.Event()

        async def work(values: Values, fast_is_done: asyncio.Event = fast_is_done) -> Any:
            if values["word"] == "slow":
                await fast_is_done.wait()
            else:
                asyncio.get_running_loop().call_later(0, fast_is_done.set)
            return 1

        out = tmp_path / f"{is_ordered}.jsonl"
        await batch(rows, out, work, is_ordered=is_ordered)
        assert [row["word"] for row in results(out)] == expected


async def test_no_more_rows_are_read_than_the_window_holds(tmp_path: Path) -> None:
    """While the first row is slow, only a bounded number of others get ahead of it."""
    ahead: list[int] = []
    window_is_full = asyncio.Event()

    async def work(values: Values) -> Any:
        if values["n"] == 0:
            await window_is_full.wait()
            for _ in range(100):  # time enough for the others to get further, if they could
                await asyncio.sleep(0)
            ahead.append(-1)
        else:
            ahead.append(values["n"])
            if len(ahead) == 2 * 4 - 1:
                window_is_full.set()
        return None

    rows = (Row(number, {"n": number}) for number in range(1000))
    with Results(tmp_path / "out.jsonl", ["n"]) as found:
        done = await run_batch(rows, found, work, concurrency=2, is_ordered=True)
    assert ahead[:8] == [1, 2, 3, 4, 5, 6, 7, -1]
    assert done.done == 1000


async def test_cancelling_keeps_what_has_ended(tmp_path: Path) -> None:
    """Rows that had ended are in the file, the others are not, and the batch can go on."""
    rows, out = words(tmp_path / "in.csv", "a", "b", "never"), tmp_path / "out.jsonl"
    is_waiting = asyncio.Event()

    async def work(values: Values) -> Any:
        if values["word"] == "never":
            is_waiting.set()
            await asyncio.Event().wait()
        return await shout(values)

    running = asyncio.create_task(batch(rows, out, work))
    await is_waiting.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert [row["output"] for row in results(out)] == ["A", "B"]
    assert (await batch(rows, out)).done == 3
    assert [row["output"] for row in results(out)] == ["A", "B", "NEVER"]


async def test_a_full_disk_ends_the_batch_and_it_goes_on_later(tmp_path: Path) -> None:
    """What cannot be written ends the batch with a storage error; then no row is lost or twice."""
    rows, out = words(tmp_path / "in.csv", *map(str, range(100))), tmp_path / "out.jsonl"
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, limits[1]))
    try:
        with pytest.raises(StorageError, match=r"out\.jsonl"):
            await batch(rows, out)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert 0 < out.stat().st_size <= 1000
    await batch(rows, out)
    assert [row["_row"] for row in results(out)] == list(range(100))


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a.csv", "\ufeffa,b\n1,\n\n2,x\n", [{"a": "1"}, {"a": "2", "b": "x"}]),
        ("b.csv", 'a;b\n"1;2";y\n', [{"a": "1;2", "b": "y"}]),
        ("c.csv", 'a\tb\n"1\n2"\ty\n', [{"a": "1\n2", "b": "y"}]),
        ("d.ndjson", '{"a": [1]}\n\n{"b": null}', [{"a": [1]}, {"b": None}]),
        ("e.jsonl", "", []),
    ],
)
def test_rows_are_read(
    tmp_path: Path, name: str, content: str, expected: list[dict[str, Any]]
) -> None:
    """CSV of any common kind, and JSON lines; empty cells are no values, empty lines no rows."""
    (tmp_path / name).write_text(content)
    assert [row.values for row in read_rows(tmp_path / name)] == expected


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv", "a,b\n1,2,3\n", r"Row 0 of .*a\.csv has 3 cells, and there are 2 columns"),
        ("b.jsonl", "[1]\n", r"b\.jsonl, line 1, is no JSON object"),
        ("c.jsonl", '{"a": ', r"c\.jsonl, line 1, is no JSON object"),
    ],
)
def test_a_row_that_cannot_be_read_is_told(
    tmp_path: Path, name: str, content: str, message: str
) -> None:
    """A broken row has a fault of its own, and does not end the batch."""
    (tmp_path / name).write_text(content)
    (row,) = read_rows(tmp_path / name)
    with pytest.raises(InvalidRequest, match=message):
        raise row.fault or AssertionError


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: path / "no.csv", r"no\.csv cannot be read: No such file"),
        (lambda path: words(path / "rows.txt"), r"does not say by its ending what it is"),
        (lambda path: _bytes(path / "a.csv", b"a,b\n\xff,1\n"), "is not UTF-8 text"),
        (lambda path: _bytes(path / "b.csv", b"a,a\n1,2\n"), "and a is there twice"),
        (lambda path: _bytes(path / "c.csv", b""), "and a name is missing"),
        (lambda path: _bytes(path / "d.parquet", b"a,b"), "is no Parquet file"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error(
    tmp_path: Path, make: Callable[[Path], Path], message: str
) -> None:
    """It says which file, and why."""
    with pytest.raises(InvalidRequest, match=message):
        survey(make(tmp_path))


def _bytes(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


async def test_parquet_goes_in_and_out(tmp_path: Path) -> None:
    """Types stay, what JSON lacks becomes text, and a column of many kinds is JSON texts."""
    pyarrow = pytest.importorskip("pyarrow")
    from datetime import UTC, datetime

    from pyarrow.parquet import read_table, write_table

    moment = datetime(2026, 11, 23, tzinfo=UTC)
    table = {"n": [1, 2], "x": [0.5, None], "at": [moment, moment], "l": [["a"], []]}
    write_table(pyarrow.table(table), tmp_path / "in.parquet")

    async def work(values: Values) -> Any:
        return values["n"] if values["n"] == 1 else {"twice": 4}

    await batch(tmp_path / "in.parquet", tmp_path / "out.parquet", work)
    assert read_table(tmp_path / "out.parquet").to_pylist() == [
        {"_row": 0, "n": 1, "x": 0.5, "at": "2026-11-23T00:00:00Z", "l": '["a"]', "output": "1"},
        {"_row": 1, "n": 2, "x": None, "at": "2026-11-23T00:00:00Z", "l": "[]",
         "output": '{"twice":4}'},
    ]  # fmt: skip
    assert names(tmp_path) == ["in.parquet", "out.parquet"]
