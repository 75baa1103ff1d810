"""Jobs on disk."""

import pytest

pytest.importorskip("fastapi", reason="needs the extra serve")

from voxplain.errors import ConfigError, OutputError
from voxplain.service.store import Job, Store


def job(number, **more):
    return Job(id=f"j{number}", owner="ann", name="a.wav", options={"explain": "quick"},
               heard=False, created=float(number), **more)  # fmt: skip


def test_the_oldest_is_next_and_what_was_under_way_waits_again(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    for number in (2, 1, 3):
        store.add(job(number))
    assert store.next().id == "j1"
    store.finish("j1", None)
    assert store.next().id == "j2"
    assert store.counts() == {"done": 1, "queued": 1, "running": 1}
    store.close()
    again = Store(tmp_path / "jobs.sqlite")
    assert again.get("j1").state == "done"
    assert again.get("j2").options == {"explain": "quick"}
    assert [again.next().id, again.next().id, again.next()] == ["j2", "j3", None]
    again.close()


def test_who_is_still_to_be_told_is_kept(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    for number in (1, 2):
        store.add(job(number, webhook="lab"))
    store.finish("j1", {"status": 422})
    assert [one.id for one in store.untold()] == ["j1"]
    assert store.get("j1").error == {"status": 422}
    assert store.get("j1").state == "failed"
    store.told("j1")
    assert store.untold() == []
    store.remove("j1")
    assert store.ids() == {"j2"}
    store.close()


def test_two_services_do_not_share_a_folder(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    with pytest.raises(ConfigError, match="is in use by another service; give this one its own"):
        Store(tmp_path / "jobs.sqlite")
    store.close()


def test_a_place_that_can_not_be_written_is_told(tmp_path):
    with pytest.raises(OutputError, match="unable to open database file"):
        Store(tmp_path / "nowhere" / "jobs.sqlite")


def test_a_disk_that_refuses_is_told(tmp_path):
    store = Store(tmp_path / "jobs.sqlite")
    store._rows.execute("PRAGMA query_only = ON")
    with pytest.raises(OutputError, match=r"the job can't be written: .*; free some room"):
        store.add(job(1))
    store.close()
