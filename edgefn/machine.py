"""What the machine is: its processor's features decide how int8 sums are formed, so numbers name them."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path

_FEATURES = (
    *("avx2", "avx512f", "avx512_vnni", "avx_vnni", "amx_int8", "avx512_bf16", "amx_bf16"),
    *("asimd", "asimddp", "i8mm", "bf16"),
)
"""Instruction sets that change how int8 and bfloat16 are multiplied, as Linux names them."""


@dataclass(frozen=True, slots=True)
class Machine:
    """The machine a number was measured on."""

    processor: str
    """Model name of the processor."""
    architecture: str
    """x86_64, aarch64, ..."""
    cores: int
    """Cores of the machine."""
    features: tuple[str, ...]
    """Instruction sets that matter to int8 and bfloat16; empty where the system does not tell."""
    system: str
    """Operating system."""

    def to_json(self) -> dict[str, object]:
        """Return plain JSON values."""
        return asdict(self) | {"features": list(self.features)}

    @property
    def int8_may_saturate(self) -> bool:
        """True on x86 without VNNI, whose 8-bit products are summed in 16 bits."""
        return "avx2" in self.features and not any("vnni" in each for each in self.features)

    @property
    def multiplies_bfloat16(self) -> bool:
        """True where bfloat16 products are done in hardware; elsewhere they are slower than float32."""
        return any("bf16" in each for each in self.features)


def this_machine() -> Machine:
    """Describe the machine this runs on; what cannot be read is left empty."""
    cpuinfo = _cpuinfo()
    flags = set(cpuinfo.get("flags", cpuinfo.get("Features", "")).split())
    return Machine(
        processor=cpuinfo.get("model name", platform.processor() or "unknown"),
        architecture=platform.machine(),
        cores=os.cpu_count() or 1,
        features=tuple(each for each in _FEATURES if each in flags),
        system=platform.system(),
    )


def _cpuinfo() -> dict[str, str]:
    """Return the fields of the first processor in /proc/cpuinfo, empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").split("\n\n")[0].splitlines()
    except OSError:
        return {}
    pairs = (line.partition(":") for line in lines)
    return {name.strip(): value.strip() for name, _, value in pairs}
