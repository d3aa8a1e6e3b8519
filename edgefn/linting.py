"""What is wrong with the tools of a file before they are added: from their text and, with a bundle, from their rows."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from edgefn.added.lint import Finding, confusable, text_findings
from edgefn.bundle import read_bundle
from edgefn.errors import BundleError
from edgefn.loading import open_encoder, open_maker
from edgefn.tool import Tool


def lint(tools: Collection[Tool], bundle: Path | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with `tools`: pairs that `bundle` will confuse, nearest first, then what lacks words.

    Raises BundleError where the bundle cannot be used or takes no added tools, and EngineError.
    """
    near = [] if bundle is None else _confusable(tools, bundle)
    return (*near, *text_findings(tools))


def _confusable(tools: Collection[Tool], path: Path) -> list[Finding]:
    """Return the pairs whose rows, as the bundle's encoder makes them, are nearly one; its own tools are left out."""
    bundle = read_bundle(path)
    maker = open_maker(bundle, open_encoder(bundle))
    if maker is None:
        raise BundleError(
            f"{path} takes no added tools, so it makes no rows of these",
            hint="lint without --bundle, or give a bundle of a checkpoint that edgefn trained",
        )
    trained = {each.name for each in bundle.manifest.tools}
    return confusable([maker.rows(each) for each in tools if each.name not in trained])
