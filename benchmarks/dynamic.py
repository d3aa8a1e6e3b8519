"""Tools added at run time: `python benchmarks/dynamic.py BUNDLE [--clinc BUNDLE100] [--only PART] [--json]`.

BUNDLE is a general bundle: nothing of the sets below was trained or tuned on. What each number means stands at the
head of the file that measures it.

    bfcl      BFCL v4, simple_python, multiple and irrelevance                     (dynamic_published.py)
    acebench  ACEBench in English and Chinese                                      (dynamic_published.py)
    clinc     50 tools of CLINC150 added to BUNDLE100, trained on the other 100    (dynamic_clinc.py)
    scaling   latency from 10 to 1,000 tools; the picture is benchmarks/scaling.png (dynamic_timing.py)
    adding    the time of adding one, and memory after 10,000 changes              (dynamic_timing.py)

What was measured is printed, and put into benchmarks/results/dynamic.json, where parts that were not measured this time
stay as they are. The data folder, ../shared/data beside the project by default, holds `bfcl/`, `acebench/` and
`clinc150/`.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

from dynamic_asking import open_bundle

import edgefn
from edgefn import ToolsWarning
from edgefn.bundle import read_bundle
from edgefn.errors import EdgefnError
from edgefn.machine import this_machine
from edgefn.session import runtime_version

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results" / "dynamic.json"
PICTURE = ROOT / "benchmarks" / "scaling.png"
_FEW = 20
"""Times and cycles where only a few rows are asked."""


def bfcl(given: argparse.Namespace) -> dict[str, Any]:
    """Measure BFCL."""
    from dynamic_published import bfcl

    return bfcl(open_bundle(given.bundle), given.data, given.limit)


def acebench(given: argparse.Namespace) -> dict[str, Any]:
    """Measure ACEBench."""
    from dynamic_published import acebench

    return acebench(open_bundle(given.bundle), given.data, given.limit)


def clinc(given: argparse.Namespace) -> dict[str, Any]:
    """Measure CLINC150's held-out tools."""
    from dynamic_clinc import clinc  # needs what `edgefn[export]` installs

    return clinc(given.clinc, given.data, given.limit)


def scaling(given: argparse.Namespace) -> dict[str, Any]:
    """Measure latency as tools become many."""
    from dynamic_timing import scaling

    if given.limit is None:
        return scaling(given.bundle, given.data, PICTURE)
    return scaling(given.bundle, given.data, None, 1)


def adding(given: argparse.Namespace) -> dict[str, Any]:
    """Measure the cost of adding a tool."""
    from dynamic_timing import adding

    return adding(given.bundle, given.data, *(() if given.limit is None else (_FEW, _FEW)))


PARTS: Mapping[str, Callable[[argparse.Namespace], dict[str, Any]]] = {
    "bfcl": bfcl,
    "acebench": acebench,
    "clinc": clinc,
    "scaling": scaling,
    "adding": adding,
}


def about(path: Path) -> dict[str, Any]:
    """Return what a number must be read with: when and where it was measured, and on which bundle."""
    bundle = read_bundle(path)
    versions = {"python": python_version(), "edgefn": edgefn.__version__, "onnxruntime": runtime_version()}
    return {
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": this_machine().to_json(),
        "versions": versions | {name: version(name) for name in ("tokenizers", "numpy")},
        "bundle": bundle.manifest.id,
        "bundle_mb": round(sum(each.bytes for each in bundle.manifest.files) / 1e6, 2),
    }


def keep(found: Mapping[str, Any], path: Path) -> None:
    """Put parts into a file of results; other parts in it stay."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    parts = {name: (known | found)[name] for name in PARTS if name in known or name in found}
    path.write_text(json.dumps(parts, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def lines(found: Mapping[str, Any], indent: int = 0) -> Iterator[str]:
    """Yield what is printed for a reader; numbers of the same names in rows become a table."""
    for name, value in found.items():
        if not isinstance(value, Mapping):
            yield f"{'  ' * indent}{name:{40 - 2 * indent}} {value}"
        elif _is_table(value):
            columns = list(next(iter(value.values())))
            yield f"{'  ' * indent + name:16}" + "".join(f"{column:>19}" for column in columns)
            for row, cells in value.items():
                yield f"{'  ' * (indent + 1) + row:16}" + "".join(f"{cells[column]!s:>19}" for column in columns)
        else:
            yield f"{'  ' * indent}{name}"
            yield from lines(value, indent + 1)


def _is_table(value: Mapping[str, Any]) -> bool:
    """Tell whether these are several rows of the same few cells."""
    rows = list(value.values())
    return (
        len(rows) > 1
        and all(isinstance(row, Mapping) and row.keys() == rows[0].keys() for row in rows)
        and not any(isinstance(cell, Mapping | list) for row in rows for cell in row.values())
    )


def main() -> int:
    """Measure, keep and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("bundle", type=Path, metavar="BUNDLE")
    parser.add_argument("--clinc", type=Path, metavar="BUNDLE100", help="trained on 100 of the tools of CLINC150")
    parser.add_argument("--only", action="append", choices=PARTS, help="measure this part; may be given several times")
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--limit", type=int, help="the first rows of each file only, to try it out; nothing is kept")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    parts = given.only or [name for name in PARTS if name != "clinc" or given.clinc]
    if "clinc" in parts and given.clinc is None:
        parser.error("clinc needs a bundle of its own: --clinc BUNDLE100")
    warnings.simplefilter("ignore", ToolsWarning)  # what is odd about published tools is not ours to mend
    try:
        found = {}
        for name in parts:
            print(f"measuring {name}", file=sys.stderr, flush=True)
            found[name] = about(given.clinc if name == "clinc" else given.bundle) | PARTS[name](given)
            if given.limit is None:
                keep(found, RESULTS)
    except EdgefnError as exc:
        print(f"error: {exc}\nhint:  {exc.hint}", file=sys.stderr)
        return exc.exit_code
    print(json.dumps(found, indent=2, ensure_ascii=False) if given.json else "\n".join(lines(found)))
    return 0


if __name__ == "__main__":
    sys.exit(main())
