"""ESD: 10 Chinese and 10 English speakers, 350 sentences, 5 acted emotions (Zhou et al. 2022)."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from voxplain.training.corpora._reading import Card, Utterance, matching_files, meaning

__all__ = ["CARD", "read"]

CARD = Card(
    title="ESD",
    language="zh, en",
    licence="agreement of the authors, for research",
    citation="Zhou et al. 2022, Speech Communication 137",
    shippable=False,
    source="scripts of Strong-AI-Lab/emotion and emo-box/EmoBox for it",
)

# Neutral clips are 1 to 350, then angry, happy, sad and surprised ones, sentence by sentence.
_NAME = re.compile(
    r"(?P<label>(?!train|evaluation|test)[^/]+)/(?:(?P<split>train|evaluation|test)/)?"
    r"(?P<speaker>00(?!00)[01]\d|0020)_(?P<number>\d{6})"
)
_EMOTIONS = {
    "Angry": "angry",
    "Happy": "happy",
    "Neutral": "neutral",
    "Sad": "sad",
    "Surprise": "surprise",
}
_MEN = ("0004", "0005", "0006", "0008", "0010", "0011", "0012", "0013", "0014", "0020")
_CHINESE = tuple(f"{number:04}" for number in range(1, 11))
_SENTENCES = 350


def read(root: Path) -> list[Utterance]:
    """Every clip; with the words, if the speaker's table (``0001/0001.txt``) lies there too.

    ``split`` is that of the folders, where there are such: every speaker is in all of them.

    Raises CorpusNotFound.
    """
    texts = _texts(root)
    found = []
    for path, clip in matching_files(root, _NAME):
        language = "zh" if clip["speaker"] in _CHINESE else "en"
        found.append(
            Utterance(
                path=path,
                corpus="esd",
                speaker=f"esd_{clip['speaker']}",
                sex="male" if clip["speaker"] in _MEN else "female",
                emotion=meaning(clip["label"], _EMOTIONS, path=path),
                sentence=f"{language}{(int(clip['number']) - 1) % _SENTENCES + 1:03}",
                label=clip["label"],
                text=texts.get(path.stem, ""),
                split={"evaluation": "dev", None: ""}.get(clip["split"], clip["split"]),
                language=language,
            )
        )
    return found


def _texts(root: Path) -> dict[str, str]:
    """Of each clip; a line is its name, the words and the emotion, between tabs."""
    found = {}
    for path in sorted(root.rglob("00[012][0-9].txt")):
        for line in _decoded(path).splitlines():
            name, *rest = line.strip().split("\t")
            if len(rest) == 2:
                found[name] = rest[0].strip()
    return found


def _decoded(path: Path) -> str:
    """The tables were saved on different machines: as UTF-16, UTF-8, GB 2312 or Windows 1252."""
    table = path.read_bytes()
    if table.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return table.decode("utf-16")
    try:
        return table.decode("utf-8-sig")
    except UnicodeDecodeError:
        local = "gb18030" if path.stem in _CHINESE else "cp1252"
        return table.decode(local, errors="replace")
