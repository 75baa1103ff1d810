"""The tree in the docstring is the tree of the classes, and both doors know every branch."""

import pickle
import re

import pytest

from voxplain import errors
from voxplain.errors import MissingExtra, Status, UnknownName, VoxplainError, status

CLASSES = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, Exception)]
ANSWERS = {  # as promised to users of the command line and of the service
    "VoxplainError": (500, 1),
    "InputError": (422, 2),
    "AudioError": (422, 2),
    "TooShort": (422, 2),
    "TooLong": (413, 2),
    "TextError": (422, 2),
    "ConfigError": (422, 2),
    "UnknownName": (422, 2),
    "OutputError": (507, 6),
    "WorkerLost": (500, 7),
    "MissingExtra": (501, 3),
    "ArtifactError": (503, 4),
    "WeightsMissing": (503, 4),
    "ChecksumMismatch": (503, 4),
    "HeadNotLoaded": (503, 4),
    "CorpusNotFound": (503, 4),
    "BackendError": (502, 5),
    "BackendTimeout": (504, 5),
    "BackendRefused": (502, 5),
    "BadReply": (502, 5),
}


def drawn():
    """(name, parent, builtin parent or None) of every line of the drawing."""
    above = []
    for line in errors.__doc__.splitlines():
        found = re.fullmatch(r"    ([│├└─ ]*)(\w+)(?: \((\w+)\))?(?:  .*)?", line)
        if found:
            branches, name, builtin = found.groups()
            depth = len(branches) // 3
            above[depth:] = [name]
            yield name, above[depth - 1] if depth else "Exception", builtin


def example(kind):
    special = {UnknownName: ("corpus", "emobd", ["emodb"]), MissingExtra: ("torch", "train")}
    return kind(*special.get(kind, ("what happened",)))


def test_the_drawing_is_the_tree():
    bases = {kind.__name__: [base.__name__ for base in kind.__bases__] for kind in CLASSES}
    assert {name: [b for b in (parent, builtin) if b] for name, parent, builtin in drawn()} == bases


def test_every_class_is_offered():
    assert {kind.__name__ for kind in CLASSES} <= set(errors.__all__)


@pytest.mark.parametrize("kind", CLASSES)
def test_status(kind):
    expected = Status(*ANSWERS[kind.__name__])
    assert status(kind) == expected
    assert status(example(kind)) == expected


def test_status_of_a_new_class_is_that_of_its_nearest_ancestor():
    class Refused(errors.WeightsMissing):
        pass

    assert status(Refused) == Status(http=503, exit=4)


def test_status_of_what_is_not_ours():
    assert status(RuntimeError("?")) == Status(http=500, exit=1)


@pytest.mark.parametrize("kind", CLASSES)
def test_errors_travel_between_processes(kind):
    error = example(kind)
    back = pickle.loads(pickle.dumps(error))
    assert type(back) is kind
    assert str(back) == str(error)


def test_unknown_name_lists_what_there_is():
    with pytest.raises(UnknownName, match=r"^unknown pet 'eel'; available: cat, dog\.$"):
        raise UnknownName("pet", "eel", ["dog", "cat"])


def test_unknown_name_hints_at_a_slip():
    with pytest.raises(UnknownName, match=r"available: cat, dog\. Did you mean 'dog'\?$"):
        raise UnknownName("pet", "dgo", {"cat", "dog"})


def test_unknown_name_where_there_is_none():
    with pytest.raises(UnknownName, match=r"^unknown pet 'eel'; available: none\.$"):
        raise UnknownName("pet", "eel", iter(()))


def test_missing_extra_says_how_to_get_it():
    expected = re.escape("this needs torch, which is not installed; install it with: ") + (
        r"pip install 'voxplain\[train\]'$"
    )
    with pytest.raises(MissingExtra, match=expected):
        raise MissingExtra("torch", "train")


@pytest.mark.parametrize(
    ("kind", "builtin"),
    [(errors.TooShort, ValueError), (errors.OutputError, OSError), (MissingExtra, ImportError)],
)
def test_who_catches_the_builtin_catches_ours(kind, builtin):
    with pytest.raises(builtin) as caught:
        raise example(kind)
    assert isinstance(caught.value, VoxplainError)
