"""A manifest in words."""

import dataclasses

import tiny

from edgefn.inspection import describe


def test_what_decides_about_added_tools_is_told():
    assert "added       tools are accepted from" in describe(tiny.manifest())
    assert "added       no tools can be" in describe(dataclasses.replace(tiny.manifest(), makers=None))


def test_a_general_bundle_says_that_it_knows_no_tool():
    assert "none: a general bundle" in describe(dataclasses.replace(tiny.manifest(), tools=()))
