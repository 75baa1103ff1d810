"""What metrics are given, checked: of one length, not empty, and nothing missing in it."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from voxplain.errors import InputError

__all__ = ["classes", "confusion", "distributions", "no_shares", "numbers", "probabilities"]

Floats = NDArray[np.float64]
_SUM = 0.01  # what rounding to three digits may take from, or add to, the sum of some labels


def classes(
    truth: ArrayLike, prediction: ArrayLike
) -> tuple[NDArray[np.intp], NDArray[np.intp], int]:
    """Labels as numbers: the truth's (n,), the prediction's (n,), and how many labels there are.

    Raises InputError: none, unequal lengths, a missing label, words beside numbers.
    """
    true, found = _labels("truth", truth), _labels("prediction", prediction)
    _same_length(true, found)
    if (true.dtype.kind == "U") != (found.dtype.kind == "U"):
        raise InputError(
            f"the truth has labels like {true[0]!r}, the prediction like {found[0]!r}; "
            "give both as words or both as numbers"
        )
    both = np.concatenate([true, found])
    if both.dtype.kind in "iu" and both.min() >= 0 and both.max() < len(both):  # no need to sort
        occurs = np.bincount(both) > 0
        places, known = (np.cumsum(occurs) - 1)[both], int(occurs.sum())
    else:
        labels, places = np.unique(both, return_inverse=True)
        known = len(labels)
    return places[: len(true)], places[len(true) :], known


def confusion(truth: ArrayLike, prediction: ArrayLike) -> NDArray[np.int64]:
    """Counts, truth in rows and prediction in columns, of the labels that occur. As ``classes``."""
    true, found, known = classes(truth, prediction)
    cells = np.bincount(true * known + found, minlength=known * known)
    return cells.reshape(known, known).astype(np.int64)


def numbers(truth: ArrayLike, prediction: ArrayLike) -> tuple[Floats, Floats]:
    """Two (n,) of finite numbers. Raises InputError: none, unequal lengths, NaN, more axes."""
    true, found = _finite("truth", truth, axes=1), _finite("prediction", prediction, axes=1)
    _same_length(true, found)
    return true, found


def probabilities(truth: ArrayLike, prediction: ArrayLike) -> tuple[NDArray[np.intp], Floats]:
    """(n,) columns of the truth, -1 where it has none, and probabilities (n, labels).

    Raises InputError: none, unequal lengths, NaN, rows that don't add to 1, no such column.
    """
    rows = _shares("prediction", prediction)
    true = np.asarray(truth)
    _same_length(true, rows)
    if true.dtype.kind not in "iu":
        raise InputError(
            f"beside probabilities the truth is the number of a column, not {true.flat[0]!r}"
        )
    outside = true[(true < -1) | (true >= rows.shape[1])]
    if len(outside):
        raise InputError(
            f"the truth names column {outside[0]}, but there are {rows.shape[1]} labels; "
            "-1 stands for a truth that has no column"
        )
    return true.astype(np.intp), rows


def distributions(truth: ArrayLike, prediction: ArrayLike) -> tuple[Floats, Floats]:
    """Two (n, labels) of shares.

    Raises InputError: none, unequal shapes, NaN, rows that don't add to 1.
    """
    true, found = _shares("truth", truth), _shares("prediction", prediction)
    _same_length(true, found)
    if true.shape != found.shape:
        raise InputError(
            f"the truth has shares of {true.shape[1]} labels, the prediction of {found.shape[1]}"
        )
    return true, found


def no_shares(rows: Floats) -> NDArray[np.bool_]:
    """(n,) which rows of (n, labels) hold a negative number or don't add to 1; NaN passes."""
    found: NDArray[np.bool_] = (np.abs(rows.sum(1) - 1) > _SUM) | (rows < 0).any(1)
    return found


def _labels(name: str, given: ArrayLike) -> NDArray[Any]:
    # NumPy makes the word "nan" of a NaN among words; so a list is looked at before.
    listed = isinstance(given, list | tuple)
    array = np.array(given, dtype=object) if listed else np.asarray(given)
    array = _axes(name, array, 1)
    if array.dtype.kind == "O":
        missing = np.array([one is None or one == "" or one != one for one in array], bool)
    else:
        missing = array == "" if array.dtype.kind == "U" else array != array
    if missing.any():
        raise InputError(
            f"{missing.sum()} of {len(array)} labels of the {name} are missing, the first in row "
            f"{missing.argmax()} (rows count from 0); leave such clips out"
        )
    return np.array(array.tolist()) if array.dtype.kind == "O" else array


def _shares(name: str, given: ArrayLike) -> Floats:
    rows = _finite(name, given, axes=2)
    wrong = np.flatnonzero(no_shares(rows))
    if len(wrong):
        raise InputError(
            f"row {wrong[0]} of the {name} is {rows[wrong[0]].tolist()}; "
            "shares are not negative and add to 1"
        )
    return rows


def _finite(name: str, given: ArrayLike, *, axes: int) -> Floats:
    array = _axes(name, np.asarray(given, np.float64), axes)
    if not np.isfinite(array).all():
        row = int(np.argwhere(~np.isfinite(array))[0, 0])
        raise InputError(
            f"row {row} of the {name} (rows count from 0) holds {array[row]}; "
            "leave out clips without a number"
        )
    return array


def _axes(name: str, array: NDArray[Any], axes: int) -> NDArray[Any]:
    if array.ndim != axes:
        raise InputError(f"the {name} has the shape {array.shape}; {axes} axes are needed")
    return array


def _same_length(truth: NDArray[Any], prediction: NDArray[Any]) -> None:
    if len(truth) != len(prediction):
        raise InputError(
            f"{len(truth)} clips in the truth, {len(prediction)} in the prediction; "
            "they must be the same"
        )
    if not len(truth):
        raise InputError("no clip at all: a metric needs one")
