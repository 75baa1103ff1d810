"""A conversation of two real voices, put together from clips."""

from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

import voxplain
from voxplain.audio.read import read

RATE = 16_000


@pytest.fixture(scope="session")
def talk(tmp_path_factory, clips):
    """``path`` of a recording, ``speakers``, ``turns`` that were written, and what is ``heard``.

    Ann speaks calmly six times, then six times in anger, Bob in between; the second time that he
    speaks they overlap for 0.5 s, and at the end somebody takes a breath.
    """
    happy, sad, angry, neutral, bob = (read(clip).waveform for clip in clips)
    assert happy is not None
    pieces, turns, place = [], [], 0

    def say(waveform, who, *, overlap=0):
        nonlocal place
        start = place - overlap
        if overlap:
            mixed = np.concatenate(pieces)
            mixed[-overlap:] += waveform[:overlap]
            pieces[:] = [mixed]
        elif pieces:
            rest(0.3)
            start = place
        pieces.append(waveform[overlap:])
        place = start + len(waveform)
        turns.append((start / RATE, place / RATE, who))

    def rest(seconds):
        nonlocal place
        pieces.append(np.zeros(round(seconds * RATE), np.float32))
        place += len(pieces[-1])

    for number, waveform in enumerate([neutral, sad] * 3 + [angry] * 6):
        say(waveform, "ann")
        if number % 4 == 0:
            say(bob, "bob", overlap=8000 if number == 4 else 0)
        if number == 7:
            rest(40)
    say(np.zeros(800, np.float32), "bob")
    folder = tmp_path_factory.mktemp("talk")
    path, speakers = folder / "talk.wav", folder / "talk.rttm"
    soundfile.write(path, np.concatenate(pieces), RATE, subtype="FLOAT")
    speakers.write_text(
        "".join(
            f"SPEAKER talk 1 {start:.6f} {end - start:.6f} <NA> <NA> {who} <NA> <NA>\n"
            for start, end, who in turns
        )
    )
    heard = voxplain.conversation(path, speakers=speakers)
    return SimpleNamespace(path=path, speakers=speakers, turns=turns, heard=heard)
