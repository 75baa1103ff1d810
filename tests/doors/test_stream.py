"""``voxplain stream``: a line a result, while the sound still comes in."""

import io
import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import voxplain
from voxplain.audio import read
from voxplain.cli import main
from voxplain.streaming import Stream

PAGE = Path(__file__).parents[2] / "docs/streaming.md"


def pcm(*clips):
    """Recordings as raw sound, with a second of silence after each."""
    sounds = [np.round(read.read(clip).waveform * 2**15).astype("<i2").tobytes() for clip in clips]
    return b"".join(sound + bytes(32_000) for sound in sounds)


def run(monkeypatch, capsys, sound, *arguments):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(sound)))
    code = main(["stream", "-", *arguments])
    seen = capsys.readouterr()
    return code, seen.out, seen.err


@pytest.fixture(scope="module")
def known(angry):
    stream = Stream(voxplain.load())
    return stream.feed(pcm(angry)) + stream.end()


def test_json_lines_are_what_python_says(angry, known, monkeypatch, capsys):
    code, out, err = run(monkeypatch, capsys, pcm(angry), "--json")
    assert (code, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        json.loads(json.dumps(one.to_dict())) for one in known
    ]


def test_lines_say_when_and_how(angry, known, monkeypatch, capsys):
    _, out, _ = run(monkeypatch, capsys, pcm(angry))
    *early, last = out.splitlines()
    assert [float(line.split()[1]) for line in early] == pytest.approx(
        [one.end for one in known[:-1]], abs=0.006
    )
    assert all(line.split()[2] == "..." for line in early)
    assert early[0].endswith("... Not enough evidence yet")
    assert last.split(maxsplit=2)[2] == "Sounds angry"


def test_why_there_is_no_verdict_of_an_utterance_is_told_within_80_columns(monkeypatch, capsys):
    spoken = Path(__file__).parents[1] / "data/cremad_1089_tie_ang.opus"
    brief = pcm(spoken)[2 * 9000 : 2 * 19_000] + bytes(32_000)
    _, out, _ = run(monkeypatch, capsys, brief)
    assert all(len(line) <= 80 for line in out.splitlines())
    assert "Not enough evidence: it is unlike the speech it was learned from" in " ".join(
        out.split()
    )


def test_an_utterance_is_told_before_the_sound_ends(angry):
    command = [sys.executable, "-m", "voxplain", "stream", "-"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as live:
        live.stdin.write(pcm(angry))
        live.stdin.flush()
        while b"..." in (line := live.stdout.readline()):
            pass
        assert line.endswith(b"Sounds angry\n")
        out, _ = live.communicate()  # only now does it end
    assert (live.returncode, out) == (0, b"")


def test_a_file_with_a_header_is_refused(monkeypatch, capsys):
    wav = b"RIFF\x24\x00\x00\x00WAVEfmt "
    code, out, err = run(monkeypatch, capsys, wav)
    assert (code, out) == (2, "")
    assert "raw sound has no header, and this begins with b'RIFF'; convert it with: ffmpeg" in err


def test_the_help_fits_and_the_pause_is_checked(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        main(["stream", "--help"])
    assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    code, _, err = run(monkeypatch, capsys, b"", "--pause", "0")
    assert code == 2
    assert "a pause of 0.4 to 15 s, not 0" in err


def test_the_output_on_the_page_is_the_output(clips, monkeypatch, capsys):
    """Its decoder is ffmpeg, whose samples differ in the last bit: an end may move by a chunk."""
    page = PAGE.read_text(encoding="utf-8")
    shown = re.search(r"\| voxplain stream -\n(.*?)```", page, re.DOTALL)[1]
    _, out, _ = run(monkeypatch, capsys, pcm(*(clip for clip in clips if "cremad" in clip.name)))
    times, told = zip(*(columns(line) for line in out.splitlines()), strict=True)
    shown_times, shown_told = zip(*(columns(line) for line in shown.splitlines()), strict=True)
    assert told == shown_told
    np.testing.assert_allclose(times, shown_times, atol=0.05)


def columns(line):
    start, end, told = line.split(maxsplit=2)
    return (float(start), float(end)), told
