"""Every change of a log is found, and the message names its place."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgefn.audit import AuditLog, Head, Report, verify
from edgefn.errors import AuditBroken, AuditError


def written(folder: Path, lines: int = 12, max_bytes: int = 10_000_000) -> tuple[Path, Head]:
    """Write a log with one open intent; return its path and its head."""
    path = folder / "audit.jsonl"
    with AuditLog(path, fsync="never", max_bytes=max_bytes) as log:
        log.append("intent", {"tool": "restart"}, intent=True)
        while log.head.number < lines:
            log.append("result", {"tool": "lamp", "number": log.head.number})
        return path, log.head


def put(folder: Path, parts: list[bytes]) -> Path:
    path = folder / "audit.jsonl"
    path.write_bytes(b"".join(parts))
    return path


@pytest.fixture(scope="module")
def lines(tmp_path_factory) -> list[bytes]:
    path, _ = written(tmp_path_factory.mktemp("written"))
    return path.read_bytes().splitlines(keepends=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("changed")


def test_a_whole_log(tmp_path):
    path, head = written(tmp_path)
    report = Report(lines=12, files=1, first=1, head=head, open=(1,), torn=False, missing_before=False)
    assert verify(path) == verify(str(path), head) == report


def test_a_log_without_lines(tmp_path):
    AuditLog(tmp_path / "audit.jsonl").close()
    report = verify(tmp_path / "audit.jsonl", Head(0, "0" * 64))
    assert (report.lines, report.files, report.first, report.head.number, report.open) == (0, 1, 0, 0, ())


def test_no_log_at_all(tmp_path):
    with pytest.raises(AuditError, match="no audit log"):
        verify(tmp_path / "audit.jsonl")
    with pytest.raises(AuditError, match="cannot be read"):
        verify(tmp_path / "no" / "audit.jsonl")
    with pytest.raises(AuditError, match="is a folder"):
        verify(tmp_path)


def test_every_changed_byte_is_found(lines, folder):
    """All of them; a changed last line end too."""
    whole = b"".join(lines[:2])
    for at in range(len(whole)):
        flip = (0x01, 0x20, 0x80)[at % 3]
        path = put(folder, [whole[:at], bytes([whole[at] ^ flip]), whole[at + 1 :]])
        with pytest.raises(AuditBroken, match=r"^audit\.jsonl, line [1-3]: it "):
            verify(path)


def test_the_place_is_named(lines, folder):
    changed = lines[6].replace(b"lamp", b"door")
    with pytest.raises(AuditBroken, match=r"^audit\.jsonl, line 7: it was changed") as caught:
        verify(put(folder, [*lines[:6], changed, *lines[7:]]))
    assert "find out" in caught.value.hint


@pytest.mark.parametrize("at", range(11))
def test_every_removed_line_is_found(lines, folder, at):
    with pytest.raises(AuditBroken, match=rf"line {at + 1}: it has number {at + 2} where {at + 1} belongs"):
        verify(put(folder, [*lines[:at], *lines[at + 1 :]]))


@given(st.data())
@settings(max_examples=60)
def test_swapped_repeated_and_inserted_lines_are_found(lines, folder, data):
    at, other = sorted(data.draw(st.lists(st.integers(0, 11), min_size=2, max_size=2, unique=True)))
    swapped = lines.copy()
    swapped[at], swapped[other] = swapped[other], swapped[at]
    with pytest.raises(AuditBroken, match=rf"line {at + 1}: it has number {other + 1} where {at + 1} belongs"):
        verify(put(folder, swapped))
    with pytest.raises(AuditBroken, match="repeated or inserted"):
        verify(put(folder, [*lines[: other + 1], lines[at], *lines[other + 1 :]]))
    with pytest.raises(AuditBroken, match="it is "):
        noise = data.draw(
            st.sampled_from([b"\n", b"{}\n", b"[]\n", b"12\n", b"\xff\n", b"\0" * 99 + b"\n", b"[" * 99999])
        )
        verify(put(folder, [*lines[:at], noise.rstrip(b"\n") + b"\n", *lines[at:]]))


@given(st.data())
@settings(max_examples=80)
def test_any_change_is_found_with_the_head(lines, folder, data):
    """Bytes taken out, put in or replaced anywhere: with the head that was kept, nothing else passes."""
    whole = b"".join(lines)
    head = verify(put(folder, lines)).head
    start = data.draw(st.integers(0, len(whole) - 1))
    stop = data.draw(st.integers(start, min(len(whole), start + 400)))
    changed = whole[:start] + data.draw(st.binary(max_size=20)) + whole[stop:]
    if changed.startswith(whole):  # only more was put behind it: a line that was cut, or noise
        return
    with pytest.raises(AuditBroken):
        verify(put(folder, [changed]), head)


def test_a_line_with_a_hash_of_its_own_breaks_the_chain(lines, folder, tmp_path):
    with AuditLog(tmp_path / "other.jsonl", fsync="never") as log:
        for _ in range(5):
            log.append("result", {"tool": "door"})
    forged = (tmp_path / "other.jsonl").read_bytes().splitlines(keepends=True)
    with pytest.raises(AuditBroken, match="line 4: its previous hash is not that of the line before it"):
        verify(put(folder, [*lines[:3], forged[3], *lines[4:]]))


def test_only_the_head_shows_a_cut_tail(lines, folder):
    head = verify(put(folder, lines)).head
    path = put(folder, lines[:9])
    ninth = verify(path).head
    assert ninth.number == 9
    with pytest.raises(AuditBroken, match="ends at line 9, the head names line 12"):
        verify(path, head)
    assert verify(put(folder, lines), ninth).lines == 12
    with pytest.raises(AuditBroken, match="line 5: it is not the line that the head"):
        verify(put(folder, lines), Head(5, head.hash))


@pytest.mark.parametrize("cut", [1, 2, 76, 150, 199])
def test_a_cut_line_is_torn_and_not_broken(lines, folder, cut):
    report = verify(put(folder, [*lines[:4], lines[4][:-cut]]))
    assert (report.lines, report.torn) == (4, True)


def test_files_in_between_are_missed(tmp_path):
    path, head = written(tmp_path, 30, 1500)
    files = sorted(tmp_path.glob("audit.0*.jsonl"))
    assert verify(path, head).files == len(files) + 1 > 4
    aside = tmp_path / "aside"
    for file in files:
        file.rename(aside)
        if file == files[0]:
            report = verify(path, head)
            assert report.missing_before and report.first > 1 and report.open == (1,)
        else:
            with pytest.raises(AuditBroken, match=r"line 1: it has number \d+ where \d+ belongs: lines were removed"):
                verify(path)
        aside.rename(file)


def test_the_end_of_an_older_file_is_missed(tmp_path):
    path, _ = written(tmp_path, 30, 1500)
    first = tmp_path / "audit.000001.jsonl"
    whole = first.read_bytes()
    first.write_bytes(whole[:-1])
    with pytest.raises(AuditBroken, match=r"audit\.000001\.jsonl, line \d+: it has no line end, and more lines follow"):
        verify(path)
    first.write_bytes(b"".join(whole.splitlines(keepends=True)[1:]))
    with pytest.raises(AuditBroken, match=r"audit\.000001\.jsonl, line 1: it has number 2 where 1 belongs"):
        verify(path)


def test_a_head_from_before_the_files(tmp_path):
    path, head = written(tmp_path, 30, 1500)
    old = Head.parse(f"2:{'ab' * 32}")
    (tmp_path / "audit.000001.jsonl").unlink()
    first = verify(path, head).first
    with pytest.raises(AuditError, match="begin after line 2") as caught:
        verify(path, old)
    assert not isinstance(caught.value, AuditBroken)
    with pytest.raises(AuditBroken, match="does not go on from the head"):
        verify(path, Head(first - 1, "ab" * 32))


def test_a_log_is_verified_while_it_is_written_and_rotated(tmp_path):
    path = tmp_path / "audit.jsonl"
    stop = threading.Event()
    with AuditLog(path, fsync="never", max_bytes=3000, keep=4) as log:
        log.append("result", {})

        def write() -> None:
            while not stop.is_set():
                log.append("result", {"tool": "lamp"})

        writer = threading.Thread(target=write)
        writer.start()
        try:
            heads = [verify(path).head.number]
            while len(heads) < 100 or heads[-1] == heads[0]:  # a busy machine may let the writer wait
                heads.append(verify(path).head.number)
        finally:
            stop.set()
            writer.join()
    assert heads == sorted(heads)


def test_a_log_that_may_not_be_read(tmp_path):
    path, _ = written(tmp_path)
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    with pytest.raises(AuditError, match="cannot be read"):
        verify(path)
