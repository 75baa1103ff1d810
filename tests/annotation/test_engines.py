"""Engines: every batch once, few at a time, and no worker left behind."""

import functools
import importlib
import multiprocessing

import pytest

from voxplain import plugins
from voxplain.annotation.engines import local
from voxplain.annotation.entries import Entry
from voxplain.errors import WorkerLost

BATCHES = [(number, [Entry(f"{number}.wav", "")]) for number in range(12)]


@pytest.fixture
def others():
    """Processes of other tests, such as those of a service that runs on."""
    return set(multiprocessing.active_children())


@pytest.fixture
def works(tmp_path, monkeypatch):
    """Work that a new process can import."""
    (tmp_path / "annotation_works.py").write_text(
        "import os, signal\n"
        "def name(batch):\n"
        "    return batch[0].file\n"
        "def die(batch, at):\n"
        "    if batch[0].file == at:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return name(batch)\n"
        "def fail(batch):\n"
        "    raise ValueError(batch[0].file)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    return importlib.import_module("annotation_works")


@pytest.mark.parametrize("name", plugins.names("engines"))
def test_every_engine_has_a_card(name):
    assert plugins.find("engines", name).CARD.title


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_batch_once_and_few_at_a_time(works, jobs, others):
    taken, done = [], []

    def batches():
        for number, batch in BATCHES:
            taken.append(number)
            yield number, batch

    for number, found in local.run(works.name, batches(), jobs=jobs):
        assert found == f"{number}.wav"
        done.append(number)
        assert len(taken) - len(done) < 2 * jobs
    assert sorted(done) == list(range(12))
    assert set(multiprocessing.active_children()) <= others


def test_a_killed_worker_is_told_and_the_others_end(works, others):
    die = functools.partial(works.die, at="5.wav")
    with pytest.raises(WorkerLost, match="a worker process was killed") as caught:
        list(local.run(die, iter(BATCHES), jobs=2))
    assert "what is done is kept: the same command goes on, with fewer --jobs" in str(caught.value)
    for child in set(multiprocessing.active_children()) - others:
        child.join()


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_fails_here(works, jobs):
    with pytest.raises(ValueError, match=r"\.wav"):
        list(local.run(works.fail, iter(BATCHES), jobs=jobs))


def test_who_stops_listening_stops_the_workers(works, others):
    run = local.run(works.name, iter(BATCHES), jobs=2)
    next(run)
    workers = set(multiprocessing.active_children()) - others
    assert len(workers) == 2
    run.close()
    for worker in workers:
        worker.join()
        assert worker.exitcode is not None
