"""Alignment with any Hugging Face CTC checkpoint of the words' language (Graves et al. 2006).

The checkpoint says for every frame how probable each letter is; Viterbi finds the path through the
letters of the text, with blanks between them. A word's confidence is the mean probability of its
letters, each where it is clearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from voxplain.errors import TextError, WeightsMissing
from voxplain.plugins import require
from voxplain.text.aligners import Found
from voxplain.types import Audio

__all__ = ["best_path", "find_words", "place"]

_STRETCH = 30.0  # seconds that the network sees at once: attention grows with the square
_MARGIN = 2.0  # seconds on either side that it sees and does not judge
_DELIMITER = "|"  # stands between words where the checkpoint knows it


def find_words(audio: Audio, words: Sequence[str], *, folder: Path) -> list[Found | None]:
    """Where each word is; None for one without a letter that the checkpoint knows.

    Raises WeightsMissing for a folder without a checkpoint in safetensors, MissingExtra without
    torch or transformers, TextError where the letters are more than the frames.
    """
    emissions, shift, vocabulary, blank = _listen(audio, folder)
    return place(
        words, emissions, vocabulary=vocabulary, blank=blank, shift=shift, source=audio.source
    )


def place(
    words: Sequence[str],
    emissions: NDArray[np.float32],
    *,
    vocabulary: Mapping[str, int],
    blank: int,
    shift: float,
    source: str,
) -> list[Found | None]:
    """Words in emissions (frames, letters): log-probabilities every ``shift`` seconds.

    Raises TextError where the letters are more than the frames.
    """
    spelled = [_letters(word, vocabulary) for word in words]
    between = [vocabulary[_DELIMITER]] if _DELIMITER in vocabulary else []
    letters: list[int] = []
    first = []  # of each word
    for ids in spelled:
        letters += between if letters and ids else []
        first.append(len(letters))
        letters += ids
    if not letters:
        return [None] * len(words)
    path = best_path(emissions, letters, blank=blank)
    if path is None:
        raise TextError(
            f"the {len(words)} words have more letters than {source} can hold in "
            f"{len(emissions) * shift:.1f} s; give the text of this recording"
        )
    chances = np.exp(emissions[np.arange(len(path)), np.append(letters, blank)[path]])
    found: list[Found | None] = []
    for start, ids in zip(first, spelled, strict=True):
        frames = [np.flatnonzero(path == start + n) for n in range(len(ids))]
        if not ids:
            found.append(None)
            continue
        clearest = float(np.mean([chances[at].max() for at in frames]))
        found.append(Found(frames[0][0] * shift, (frames[-1][-1] + 1) * shift, clearest))
    return found


def _letters(word: str, vocabulary: Mapping[str, int]) -> list[int]:
    """What the checkpoint knows of a word; it may know capitals alone, or none."""
    cases = ((char, char.lower(), char.upper()) for char in word if char != _DELIMITER)
    known = (next((c for c in case if c in vocabulary), None) for case in cases)
    return [vocabulary[char] for char in known if char is not None]


def best_path(
    emissions: NDArray[np.float32], letters: Sequence[int], *, blank: int
) -> NDArray[np.intp] | None:
    """The letter (by its place in ``letters``, -1 for blank) of each frame on the best path.

    ``emissions`` (frames, vocabulary) are log-probabilities. None if there are too few frames: each
    letter takes one, and two equal ones need a blank between them.
    """
    count, states = len(emissions), 2 * len(letters) + 1
    tokens = np.full(states, blank)
    tokens[1::2] = letters
    jumps = np.zeros(states, bool)  # over the blank, from another letter
    jumps[3::2] = tokens[3::2] != tokens[1:-2:2]
    score = np.full(states, -np.inf)
    score[:2] = emissions[0, tokens[:2]]
    steps = np.zeros((count, states), np.uint8)
    for frame in range(1, count):
        one = np.concatenate(([-np.inf], score[:-1]))
        two = np.where(jumps, np.concatenate(([-np.inf] * 2, score[:-2])), -np.inf)
        moves = np.stack([score, one, two])
        steps[frame] = moves.argmax(0)
        score = moves.max(0) + emissions[frame, tokens]
    state = states - 1 - int(score[-2] > score[-1])
    if not np.isfinite(score[state]):
        return None
    path = np.empty(count, np.intp)
    for frame in range(count - 1, -1, -1):
        path[frame] = state
        state -= int(steps[frame, state])
    return np.where(path % 2, path // 2, -1)


def _listen(
    audio: Audio, folder: Path
) -> tuple[NDArray[np.float32], float, Mapping[str, int], int]:
    """Emissions (frames, letters), seconds a frame, the letters' places, and that of blank."""
    torch = require("torch", extra="train")
    transformers = require("transformers", extra="train")
    local = {"local_files_only": True}
    try:
        network = transformers.AutoModelForCTC.from_pretrained(
            folder, use_safetensors=True, **local
        ).eval()
        prepare = transformers.AutoFeatureExtractor.from_pretrained(folder, **local)
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, **local)
    except (OSError, ValueError) as error:
        raise WeightsMissing(
            f"no CTC checkpoint in {folder}: {error}; give a folder with safetensors as from "
            "save_pretrained of a wav2vec2 model and its processor"
        ) from error
    hop = network.config.inputs_to_logits_ratio
    step, margin = (round(s * audio.sampling_rate / hop) * hop for s in (_STRETCH, _MARGIN))
    pieces = []
    for start in range(0, len(audio.waveform), step):
        seen = max(start - margin, 0)
        stretch = audio.waveform[seen : start + step + margin]
        inputs = prepare(stretch, sampling_rate=audio.sampling_rate, return_tensors="pt")
        with torch.inference_mode():
            logits = network(**inputs).logits[0]
        kept = logits[(start - seen) // hop :][: step // hop]
        pieces.append(torch.log_softmax(kept, dim=-1).numpy())
    emissions: NDArray[np.float32] = np.concatenate(pieces)
    vocabulary, blank = tokenizer.get_vocab(), tokenizer.pad_token_id
    return emissions, hop / audio.sampling_rate, vocabulary, blank
