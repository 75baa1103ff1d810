"""Engines: every batch once, few at a time, and no worker left behind."""

import functools
import importlib
import multiprocessing
import socket
import sys
from multiprocessing import connection

import pytest

from voxplain import plugins
from voxplain.annotation.engines import local
from voxplain.annotation.entries import Entry
from voxplain.annotation.work import engine_for
from voxplain.errors import ConfigError, MissingExtra, WorkerLost

BATCHES = [(number, [Entry(f"{number}.wav", "")]) for number in range(12)]


@pytest.fixture
def others():
    """Processes of other tests, such as those of a service that runs on."""
    return set(multiprocessing.active_children())


@pytest.fixture(scope="module")
def works(tmp_path_factory):
    """Work that a new process can import."""
    folder = tmp_path_factory.mktemp("works")
    (folder / "annotation_works.py").write_text(
        "import os, signal\n"
        "def name(batch):\n"
        "    return batch[0].file\n"
        "def die(batch, at):\n"
        "    if batch[0].file == at:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n"
        "    return name(batch)\n"
        "def die_once(batch, at, mark):\n"
        "    try:\n"
        "        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))\n"
        "    except FileExistsError:\n"
        "        at = None\n"
        "    return die(batch, at)\n"
        "def fail(batch):\n"
        "    raise ValueError(batch[0].file)\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield importlib.import_module("annotation_works")


@pytest.fixture(scope="module")
def joined(ray_address):
    """One cluster for all tests; to join and to leave it has a test of its own."""
    ray = pytest.importorskip("ray")
    ray.init(ray_address, log_to_driver=False, logging_level="error")
    yield ray
    ray.shutdown()


@pytest.fixture(params=["local", "ray"])
def run(request, works):
    """The ``run`` of each engine, whose workers know the works."""
    if request.param == "local":
        return local.run
    joined = request.getfixturevalue("joined")
    joined.cloudpickle.register_pickle_by_value(works)
    return plugins.find("engines", "ray").run


@pytest.mark.parametrize("name", plugins.names("engines"))
def test_every_engine_has_a_card(name):
    assert plugins.find("engines", name).CARD.title


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_batch_once_and_few_at_a_time(run, works, jobs, others):
    taken, done = [], []

    def batches():
        for number, batch in BATCHES:
            taken.append(number)
            yield number, batch

    for number, found in run(works.name, batches(), jobs=jobs):
        assert found == f"{number}.wav"
        done.append(number)
        assert len(taken) - len(done) < 2 * jobs
    assert sorted(done) == list(range(12))
    assert set(multiprocessing.active_children()) <= others


def test_a_killed_worker_is_told_and_the_others_end(run, works, others):
    die = functools.partial(works.die, at="5.wav")
    with pytest.raises(WorkerLost, match="a worker process was killed") as caught:
        list(run(die, iter(BATCHES), jobs=2))
    assert "what is done is kept: the same command goes on, with fewer --jobs" in str(caught.value)
    for child in set(multiprocessing.active_children()) - others:
        assert connection.wait([child.sentinel], 20)


@pytest.mark.parametrize("run", ["ray"], indirect=True)
def test_a_lost_batch_is_tried_again_on_ray(run, works, tmp_path):
    die = functools.partial(works.die_once, at="0.wav", mark=str(tmp_path / "died"))
    found = list(run(die, iter(BATCHES[:3]), jobs=1))
    assert (tmp_path / "died").exists()
    assert sorted(found) == [(number, f"{number}.wav") for number in range(3)]


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_fails_fails_here(run, works, jobs):
    with pytest.raises(ValueError, match=r"^\d+\.wav$"):
        list(run(works.fail, iter(BATCHES), jobs=jobs))


def test_who_stops_listening_stops_the_workers(works, others):
    run = local.run(works.name, iter(BATCHES), jobs=2)
    next(run)
    workers = set(multiprocessing.active_children()) - others
    assert len(workers) == 2
    run.close()
    for worker in workers:
        assert connection.wait([worker.sentinel], 20), "a worker is left"


def test_ray_is_an_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(MissingExtra, match=r"needs ray, .*voxplain\[ray\]"):
        engine_for("ray", jobs=2)


def test_only_some_engines_join_a_cluster():
    with pytest.raises(ConfigError, match="--engine local joins no cluster, so that --address a:1"):
        engine_for("local", jobs=2, address="a:1")


def test_no_cluster_at_an_address(monkeypatch):
    ray = pytest.importorskip("ray")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with socket.socket() as taken:  # bound, but nobody listens
        taken.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        batches = engine_for("ray", jobs=1, address=address)(len, iter(BATCHES))
        message = rf"no Ray cluster can be joined at {address} \(.*refused\); check it with ray st"
        with pytest.raises(ConfigError, match=message):
            next(batches)


def test_ray_that_does_not_start(monkeypatch):
    ray = pytest.importorskip("ray")

    def late(**_):
        raise Exception("the node timed out")  # as Ray does

    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    monkeypatch.setattr(ray, "init", late)
    with pytest.raises(
        WorkerLost, match=r"Ray does not start on this machine \(the node timed out"
    ):
        list(plugins.find("engines", "ray").run(len, iter(BATCHES), jobs=1))
