"""The general bundle, and CLINC150 with 100 of its tools trained on top: `benchmarks/general.py [general|clinc]`.

`general` trains on the tool sets that come with edgefn and on the train parts of CLINC150 (100 of its 150 tools), SNIPS
and Home Assistant (English), described in benchmarks/toolsets; nothing of BFCL or ACEBench. `clinc` fine-tunes that
checkpoint for the 100 tools; the other 50, in clinc150_held_out.json, are in no stage. Checkpoints and bundles are left
in .bench/general and .bench/clinc100; benchmarks/dynamic.py measures them.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path

from edgefn.export.data import write_rows
from edgefn.export.general import GeneralSettings
from edgefn.export.pipeline import ExportSettings, export_bundle
from edgefn.export.settings import TrainSettings
from edgefn.export.toolsets import PACKAGED, ToolSet, read_tool_sets
from edgefn.export.train import train, train_general

from edgefn.registry import Registry
from edgefn.rows import read_rows

ROOT = Path(__file__).resolve().parent.parent
DESCRIPTIONS = ROOT / "benchmarks" / "toolsets"
HELD_OUT = ROOT / "benchmarks" / "clinc150_held_out.json"


def general(data: Path, work: Path) -> None:
    """Train and export the general bundle."""
    sets = [*read_tool_sets([PACKAGED]), *map(without_held_out, read_tool_sets([DESCRIPTIONS], data))]
    train_general(sets, work / "general" / "checkpoint", GeneralSettings(), "all-MiniLM-L6-v2", say)
    export_bundle(
        work / "general" / "checkpoint", work / "general" / "int8.bundle", ExportSettings(force=True, budget=1.0), say
    )


def clinc(data: Path, work: Path) -> None:
    """Fine-tune the general checkpoint for the 100 tools, and export."""
    folder = work / "clinc100"
    folder.mkdir(parents=True, exist_ok=True)
    (described,) = read_tool_sets([DESCRIPTIONS / "clinc150.yaml"], data)
    tools = Registry(without_held_out(described).tools)
    for part in ("train", "valid"):
        rows = read_rows(data / "clinc150" / f"{part}.jsonl")
        write_rows(folder / f"{part}.jsonl", [row for row in rows if row.tool is None or row.tool in tools])
    settings = TrainSettings(
        data=folder / "train.jsonl", valid=folder / "valid.jsonl", base=str(work / "general" / "checkpoint"), epochs=5
    )
    train(tools, folder / "checkpoint", settings, say)
    export_bundle(folder / "checkpoint", folder / "int8.bundle", ExportSettings(force=True), say)


def without_held_out(toolset: ToolSet) -> ToolSet:
    """Return a tool set without the tools that dynamic.py adds, and without their rows."""
    held = set(json.loads(HELD_OUT.read_text(encoding="utf-8")))
    if toolset.name != "clinc150":
        return toolset
    return replace(
        toolset,
        tools=tuple(each for each in toolset.tools if each.name not in held),
        rows=tuple(each for each in toolset.rows if each.tool not in held),
    )


def say(line: str) -> None:
    """Show progress on standard error."""
    print(line, file=sys.stderr, flush=True)


STEPS = {"general": general, "clinc": clinc}


def main() -> None:
    """Run one step, or both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=STEPS, nargs="*", default=list(STEPS))
    parser.add_argument("--data", type=Path, default=ROOT.parent / "shared" / "data")
    parser.add_argument("--work", type=Path, default=ROOT / ".bench")
    given = parser.parse_args()
    if not (given.data / "clinc150").is_dir():
        sys.exit(f"{given.data} is not there; --data names the folder that holds clinc150/, snips/, home_assistant/")
    for step in given.step:
        STEPS[step](given.data, given.work)


if __name__ == "__main__":
    main()
