"""Every number against a value worked out by hand, and against scikit-learn where it has the same one."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgefn.metrics import auroc, expected_calibration_error, mean, scope_weights

EMPTY = np.array([])
coarse = st.lists(st.integers(0, 6).map(lambda n: n / 6), min_size=1, max_size=30).map(np.array)


def test_auroc_by_hand():
    assert auroc(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1.0
    assert auroc(np.array([0.1]), np.array([0.9])) == 0.0
    assert auroc(np.array([0.5]), np.array([0.5])) == 0.5
    assert auroc(np.array([0.9, 0.3]), np.array([0.5, 0.3])) == 2.5 / 4
    for sides in [(EMPTY, np.array([1.0])), (np.array([1.0]), EMPTY), (EMPTY, EMPTY)]:
        assert math.isnan(auroc(*sides))


@given(coarse, coarse)
def test_auroc_is_scikit_learns(inside, outside):
    metrics = pytest.importorskip("sklearn.metrics")
    truth = np.r_[np.ones(len(inside)), np.zeros(len(outside))]
    assert auroc(inside, outside) == pytest.approx(metrics.roc_auc_score(truth, np.r_[inside, outside]))


@given(coarse, coarse)
def test_auroc_counts_pairs(inside, outside):
    pairs = [1.0 if a > b else 0.5 if a == b else 0.0 for a in inside for b in outside]
    assert auroc(inside, outside) == pytest.approx(sum(pairs) / len(pairs))
    assert auroc(outside, inside) == pytest.approx(1 - auroc(inside, outside))


def test_calibration_error_by_hand():
    ece = expected_calibration_error
    assert ece(np.array([1.0, 1.0]), np.array([True, True])) == 0.0
    assert ece(np.array([1.0, 1.0]), np.array([True, False])) == 0.5
    assert ece(np.array([0.0]), np.array([False])) == 0.0
    # two bins: .62 and .64 share one (9/15 to 10/15), .9 is alone
    p, right = np.array([0.62, 0.64, 0.9]), np.array([True, False, True])
    assert ece(p, right) == pytest.approx((2 * abs(0.5 - 0.63) + abs(1 - 0.9)) / 3)
    assert math.isnan(ece(EMPTY, EMPTY.astype(bool)))


def test_weights_of_the_calibration_error():
    p, right = np.array([0.2, 0.9]), np.array([True, True])
    weighted = expected_calibration_error(p, right, np.array([3.0, 1.0]))
    assert weighted == pytest.approx((3 * 0.8 + 0.1) / 4)
    twice = expected_calibration_error(p, right, np.array([6.0, 2.0]))
    assert twice == pytest.approx(weighted)


@given(st.lists(st.tuples(st.floats(0, 1), st.booleans()), min_size=1, max_size=40))
def test_calibration_error_bin_by_bin(rows):
    p, right = np.array([p for p, _ in rows]), np.array([flag for _, flag in rows])
    expected = 0.0
    for at in range(15):
        inside = [n for n, value in enumerate(p) if min(int(value * 15), 14) == at]
        if inside:
            expected += len(inside) / len(rows) * abs(right[inside].mean() - p[inside].mean())
    assert expected_calibration_error(p, right) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 1.0])
def test_scope_weights(share):
    in_scope = np.array([True, True, True, False])
    weights = scope_weights(in_scope, share)
    assert weights.sum() == pytest.approx(4)
    assert weights[~in_scope].sum() == pytest.approx(4 * share)
    assert len(set(weights[in_scope])) == 1


def test_scope_weights_with_one_side_empty():
    for flags in (np.ones(3, dtype=bool), np.zeros(3, dtype=bool), np.zeros(0, dtype=bool)):
        assert np.array_equal(scope_weights(flags, 0.3), np.ones(len(flags)))


def test_mean():
    assert mean(np.array([True, False, True, True])) == 0.75
    assert math.isnan(mean(np.array([], dtype=bool)))
