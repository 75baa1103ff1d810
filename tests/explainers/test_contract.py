"""Every explainer keeps to the contract, and the checks catch those that don't."""

import dataclasses
import functools
from types import SimpleNamespace

import numpy as np
import pytest

from voxplain import plugins
from voxplain.explainers import lrp, occlusion
from voxplain.testing.explainers import CHECKS


@pytest.mark.parametrize("name", plugins.names("explainers"))
@pytest.mark.parametrize("check", CHECKS)
def test_contract(check, name):
    check(plugins.find("explainers", name))


def broken(explainer, **otherwise):
    """A plug-in that is like another but for something."""
    return SimpleNamespace(**{**vars(explainer), **otherwise})


def rescored(change):
    """Occlusion with other scores."""

    @functools.wraps(occlusion.attribute)
    def attribute(*given, **options):
        found = occlusion.attribute(*given, **options)
        return dataclasses.replace(found, scores=change(found.scores))

    return broken(occlusion, attribute=attribute)


@functools.wraps(lrp.attribute_module)
def in_place(module, inputs, **options):
    return lrp.attribute_module(module.eval(), inputs, **options)


def anything(module, inputs, **options):
    return None


@pytest.mark.parametrize(
    ("check", "explainer"),
    [
        ("states_what_it_is", broken(occlusion, CARD="occlusion")),
        ("finds_the_evidence", rescored(np.negative)),
        ("finds_the_evidence", rescored(lambda scores: np.roll(scores, 5))),
        ("says_what_it_did", broken(occlusion, __name__="outside.other")),
        ("counts_in_the_unit_of_the_output", rescored(np.square)),
        ("counts_in_the_unit_of_the_output", rescored(lambda scores: scores + 0.1)),
        ("gives_the_same_again", rescored(lambda scores: scores + np.random.random())),
        ("refuses_an_unknown_axis", broken(lrp, attribute_module=anything)),
        ("leaves_the_module_as_it_was", broken(lrp, attribute_module=in_place)),
        ("refuses_what_has_no_gradient", broken(lrp, attribute_module=anything)),
    ],
)
def test_the_checks_catch(check, explainer):
    (found,) = (one for one in CHECKS if one.__name__ == check)
    with pytest.raises(AssertionError):
        found(explainer)
