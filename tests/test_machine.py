"""What this machine is, and what follows from it for int8 and bfloat16."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edgefn import machine
from edgefn.machine import Machine, this_machine

X86 = (
    "processor\t: 0\nmodel name\t: Some CPU @ 2.40GHz: fast\nflags\t\t: fpu avx2 {}\n\nprocessor\t: 1\nflags\t: none\n"
)
ARM = "processor\t: 0\nBogoMIPS\t: 108.00\nFeatures\t: fp asimd asimddp\n\nprocessor\t: 1\n"


def reading(monkeypatch, text: str | None) -> Machine:
    def read_text(*_: object, **__: object) -> str:
        if text is None:
            raise FileNotFoundError
        return text

    monkeypatch.setattr(Path, "read_text", read_text)
    return this_machine()


def test_this_machine_is_json():
    found = this_machine()
    assert found.cores >= 1
    assert found.architecture
    assert json.loads(json.dumps(found.to_json()))["features"] == list(found.features)
    assert set(found.features) <= set(machine._FEATURES)
    assert found == this_machine()


@pytest.mark.parametrize(
    ("flags", "features", "saturates", "bfloat16"),
    [
        ("", ("avx2",), True, False),
        ("avx512f", ("avx2", "avx512f"), True, False),
        ("avx512_vnni", ("avx2", "avx512_vnni"), False, False),
        ("avx_vnni", ("avx2", "avx_vnni"), False, False),
        ("amx_bf16 avx512_vnni", ("avx2", "avx512_vnni", "amx_bf16"), False, True),
    ],
)
def test_x86(monkeypatch, flags, features, saturates, bfloat16):
    found = reading(monkeypatch, X86.format(flags))
    assert found.processor == "Some CPU @ 2.40GHz: fast"
    assert found.features == features
    assert found.int8_may_saturate is saturates
    assert found.multiplies_bfloat16 is bfloat16


def test_arm(monkeypatch):
    found = reading(monkeypatch, ARM)
    assert found.features == ("asimd", "asimddp")
    assert not found.int8_may_saturate
    assert found.processor


@pytest.mark.parametrize("text", [None, "", "\n\n", "no colon here"])
def test_a_system_that_does_not_tell(monkeypatch, text):
    found = reading(monkeypatch, text)
    assert found.features == ()
    assert found.processor
    assert not found.int8_may_saturate
    assert not found.multiplies_bfloat16
