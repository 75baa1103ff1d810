"""``voxplain export``: a folder that analyze reads, and the figures of the comparison."""

import json
import shutil

import pytest

from voxplain.cli import main


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory):
    from voxplain.testing.checkpoints import save_checkpoint

    folder = tmp_path_factory.mktemp("checkpoints") / "ser"
    save_checkpoint(folder, "superb", ["neu", "hap", "ang", "sad"])
    return folder


def test_what_is_exported_is_analysed_alike(checkpoint, clips, angry, tmp_path, capsys):
    out = tmp_path / "out"
    corpus = tmp_path / "emodb"
    corpus.mkdir()
    shutil.copy(clips[-1], corpus / "03a01Wa.flac")  # speaker 03, angry
    shutil.copy(clips[0], corpus / "08a01Fa.opus")
    command = ["export", str(checkpoint), "--out", str(out), "--clips", *map(str, clips)]
    assert main([*command, "--corpus", f"emodb={corpus}"]) == 0
    said = capsys.readouterr().out
    assert f"wrote {out}: " in said
    assert "largest difference of any output on 7 recordings: " in said
    assert "(at most 0.001)" in said
    assert "emodb: UAR " in said
    assert "(n 2, 2 speakers); the same label for 100.00%" in said
    found = []
    for model in (checkpoint, out):
        assert main(["analyze", str(angry), "--json", "--model", str(model)]) == 0
        found.append(json.loads(capsys.readouterr().out))
    one, other = (analysis["emotion"]["categories"] for analysis in found)
    assert other == pytest.approx(one, abs=1e-5)
    assert found[1]["provenance"]["model"] == found[0]["provenance"]["model"] == "ser"


def test_without_recordings_nothing_is_exported(checkpoint, tmp_path, capsys):
    assert main(["export", str(checkpoint), "--out", str(tmp_path / "out")]) == 2
    assert "give --clips or --corpus" in capsys.readouterr().err


def test_a_vib_emo_becomes_a_listening_model(trained_describer, angry, tmp_path, capsys):
    out = tmp_path / "out"
    command = ["export", str(trained_describer), "--out", str(out), "--clips", str(angry)]
    assert main([*command, "--int8"]) == 2
    assert (
        "is packed as it is and checked on --clips; leave out --corpus" in capsys.readouterr().err
    )
    assert main(command) == 0
    said = capsys.readouterr().out
    assert f"wrote {out}: " in said
    assert "largest difference of any probability on 1 stretches of speech: " in said
    assert "(at most 0.02)" in said
    assert main(["describe", str(angry), "--json", "--model", str(out)]) == 0
    assert json.loads(capsys.readouterr().out)["model"] == "tiny"
