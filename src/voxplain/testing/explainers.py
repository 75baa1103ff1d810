"""What every explainer must keep to: checks of a plug-in that raise AssertionError.

They explain toys of which it is known what speaks for the output: ``for check in CHECKS:
check(explainer)``, where the explainer is a module of the kind ``explainers``. One with a single
axis needs no argument ``axis``; one that looks at a layer takes its name as ``layer``.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from voxplain import plugins
from voxplain.errors import ConfigError, InputError, UnknownName
from voxplain.explainers import Card, Grid
from voxplain.types import Attribution

__all__ = ["CHECKS"]

_BANDS, _FRAMES = 24, 120
_GRID = Grid(start=2.0, frame_shift=0.01, hz=tuple(range(0, 100 * _BANDS + 1, 100)))
_ROWS, _COLUMNS = slice(8, 16), slice(60, 90)
"""Where the evidence lies: 800 to 1,600 Hz, 2.6 to 2.9 s."""
_NAMES = ("pitch", "loudness", "tempo")
"""Of which the second is all that counts."""


def states_what_it_is(explainer: ModuleType) -> None:
    """Its CARD is complete, and the function of its contract is there."""
    card = explainer.CARD
    assert isinstance(card, Card)
    assert card.contract in ("forward", "module"), card.contract
    assert callable(_function(explainer))
    assert card.axes
    assert card.reference


def finds_the_evidence(explainer: ModuleType) -> None:
    """On every axis the highest score lies where the evidence is, in seconds and Hz."""
    for found in _on_every_axis(explainer):
        peak = np.unravel_index(found.scores.argmax(), found.scores.shape)
        assert found.scores[peak] > 0, found.axis
        if found.names:
            assert found.names == _NAMES
            assert _NAMES[peak[0]] == "loudness", _NAMES[peak[0]]
        if "time" in found.axis:
            assert len(found.times) == found.scores.shape[-1] + 1, found.axis
            assert _meets(found.times[peak[-1] :], 2.6, 2.9), f"{found.times[peak[-1]]} s"
        if "frequency" in found.axis:
            assert len(found.hz) == found.scores.shape[0] + 1, found.axis
            assert _meets(found.hz[peak[0] :], 800, 1600), f"{found.hz[peak[0]]} Hz"


def says_what_it_did(explainer: ModuleType) -> None:
    """The Attribution names the plug-in, the output, the axis and the baseline."""
    for axis, found in zip(explainer.CARD.axes, _on_every_axis(explainer), strict=True):
        assert found.method == explainer.__name__.rpartition(".")[2], found.method
        assert (found.output, found.axis) == ("angry", axis)
        assert found.baseline


def counts_in_the_unit_of_the_output(explainer: ModuleType) -> None:
    """An output twice as large has scores twice as large, one that is always 0 has none."""
    for once, twice, never in zip(
        *(_on_every_axis(explainer, weight=weight) for weight in (1, 2, 0)), strict=True
    ):
        np.testing.assert_allclose(twice.scores, 2 * once.scores, rtol=1e-4, atol=1e-7)
        assert not never.scores.any(), never.axis


def gives_the_same_again(explainer: ModuleType) -> None:
    """Nothing depends on chance or on what was explained before."""
    for first, again in zip(_on_every_axis(explainer), _on_every_axis(explainer), strict=True):
        np.testing.assert_array_equal(first.scores, again.scores)


def refuses_an_unknown_axis(explainer: ModuleType) -> None:
    """If it has several, one that its CARD does not name."""
    if len(explainer.CARD.axes) > 1:
        _refuses(UnknownName, "'colour'", explainer, _toy(explainer), axis="colour")


def leaves_the_module_as_it_was(explainer: ModuleType) -> None:
    """A module that is looked into keeps its weights, its mode and its hooks."""
    if explainer.CARD.contract == "module":
        network = _toy(explainer).train()
        before = {name: value.clone() for name, value in network.state_dict().items()}
        _explain(explainer, network)
        assert network.training
        assert all(weight.requires_grad for weight in network.parameters())
        assert all(weight.grad is None for weight in network.parameters())
        assert not any(one._forward_hooks for one in network.modules())
        assert all(value.equal(before[name]) for name, value in network.state_dict().items())


def refuses_what_has_no_gradient(explainer: ModuleType) -> None:
    """If it needs gradients, it says that occlusion does not."""
    if explainer.CARD.contract == "module":
        blind = _toy(explainer)
        blind.register_forward_hook(lambda _, __, outputs: outputs.detach())
        for toy in (len, blind):
            _refuses(ConfigError, "'occlusion'", explainer, toy)


CHECKS = (
    states_what_it_is,
    finds_the_evidence,
    says_what_it_did,
    counts_in_the_unit_of_the_output,
    gives_the_same_again,
    refuses_an_unknown_axis,
    leaves_the_module_as_it_was,
    refuses_what_has_no_gradient,
)


def _function(explainer: ModuleType) -> Any:
    module = explainer.CARD.contract == "module"
    return explainer.attribute_module if module else explainer.attribute


def _of_features(explainer: ModuleType) -> bool:
    return {"descriptor", "word"}.issuperset(explainer.CARD.axes)


def _explain(explainer: ModuleType, toy: Any, *, axis: str = "") -> Attribution:
    """Output 1 of a toy, by default on the first axis."""
    inputs = np.array([3, 1, 2], np.float32) if _of_features(explainer) else _spectrogram()
    given = {"axis": axis or explainer.CARD.axes[0], "layer": "1", "grid": _GRID}
    if _of_features(explainer):
        given |= {"names": _NAMES, "baseline": np.zeros_like(inputs)}
    taken = given.keys() & inspect.signature(_function(explainer)).parameters
    options: dict[str, Any] = {name: given[name] for name in taken}
    found: Attribution = _function(explainer)(toy, inputs, output=1, label="angry", **options)
    return found


def _on_every_axis(explainer: ModuleType, *, weight: float = 1) -> Iterator[Attribution]:
    toy = _toy(explainer, weight=weight)
    return (_explain(explainer, toy, axis=axis) for axis in explainer.CARD.axes)


def _refuses(
    kind: type[InputError], word: str, explainer: ModuleType, toy: Any, *, axis: str = ""
) -> None:
    message = None
    try:
        _explain(explainer, toy, axis=axis)
    except kind as error:
        message = str(error)
    assert message is not None, f"no {kind.__name__} was raised"
    assert word in message, message


def _meets(edges: NDArray[np.float64], low: float, high: float) -> bool:
    """Whether the first cell and a stretch have something in common."""
    return bool(edges[0] < high and edges[1] > low)


def _spectrogram() -> NDArray[np.float32]:
    """Weak noise, and the evidence."""
    cells = np.random.default_rng(0).uniform(0, 0.1, (_BANDS, _FRAMES)).astype(np.float32)
    cells[_ROWS, _COLUMNS] += 1
    return cells


def _toy(explainer: ModuleType, *, weight: float = 1) -> Any:
    """What its contract asks for; output 1 is the evidence times a weight, output 0 is 0."""
    if explainer.CARD.contract == "module":
        return _network(weight)

    def forward(batch: NDArray[np.float32]) -> NDArray[np.floating]:
        features = batch.ndim == 2
        evidence = batch[:, 1] if features else np.maximum(batch - 0.5, 0).mean((1, 2))
        return np.stack([0 * evidence, weight * evidence], 1)

    return forward


def _network(weight: float) -> Any:
    """By how much means over 3 x 3 cells exceed a half, on average."""
    torch = plugins.require("torch", extra="train")
    mean, last = torch.nn.Conv2d(1, 1, 3, padding=1), torch.nn.Linear(1, 2, bias=False)
    mean.weight.data.fill_(1 / 9)
    mean.bias.data.fill_(-0.5)
    last.weight.data.copy_(torch.tensor([[0.0], [weight]]))
    return torch.nn.Sequential(
        torch.nn.Unflatten(1, (1, _BANDS)),
        mean,
        torch.nn.ReLU(),
        torch.nn.AdaptiveAvgPool2d(1),
        torch.nn.Flatten(),
        last,
    )
