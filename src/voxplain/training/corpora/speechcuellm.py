"""SpeechCueLLM: IEMOCAP and MELD, how each utterance sounds told in levels (Wu et al. 2024)."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from voxplain.errors import CorpusNotFound, InputError, UnknownName
from voxplain.training.corpora import iemocap, meld
from voxplain.training.corpora._reading import Card, Utterance, rows

__all__ = ["CARD", "read"]

CARD = Card(
    title="SpeechCueLLM levels of IEMOCAP and MELD",
    language="en",
    licence="that of the corpora",
    citation="Wu et al. 2024, arXiv 2407.21315",
    shippable=False,
    source="LLM_code/data_process.py of YutongHu-Natalie/SpeechCueLLM and its feature scripts",
    uncertain="the tables themselves, which are not published; they cut by sex or speaker",
)

_ATTRIBUTES = {
    "avg_pitch_category": "pitch",
    "pitch_std_category": "range",
    "avg_intensity_category": "loudness",
    "intensity_variation_category": "dynamics",
    "articulation_rate_category": "tempo",
}
_LEVELS = {
    **dict.fromkeys(("very_low", "low"), -1),
    **dict.fromkeys(("medium_low", "medium", "medium_high"), 0),
    **dict.fromkeys(("high", "very_high"), 1),
}
"""Of three to six categories; the middle ones lie between the quartiles, ``none`` has no level."""

_TABLE = "*processed*audio_features*.csv"
_SPLIT = re.compile(r"(?<![a-z])(train|dev|test)(?![a-z])")

_Key = tuple[str, str]
"""Of MELD split and name of the clip, of IEMOCAP dialogue and words."""


def read(root: Path) -> list[Utterance]:
    """IEMOCAP or MELD, or both, as their readers read them below a folder, with their levels.

    The levels stand in tables like ``processed_iemocap_audio_features_5.csv``, by dialogue
    (``video_id``) and ``text``, and ``meld_processed_5class_train_audio_features.csv``, by
    ``filename``. What no row, or more than one, tells of has no levels.

    Raises CorpusNotFound without such a table, or if none of a table's rows is in the corpus;
    InputError for a category that is none; and what the readers of the corpora raise.
    """
    told: dict[str, dict[_Key, dict[str, int]]] = {"iemocap": {}, "meld": {}}
    for table in sorted(root.rglob(_TABLE)):
        split = _SPLIT.search(table.stem)
        for number, row in enumerate(rows(table, *_ATTRIBUTES), start=2):
            where = f"{table} row {number}"
            if "video_id" in row:
                corpus, key = "iemocap", (row["video_id"], (row.get("text") or "").strip())
            elif split and "filename" in row:
                corpus, key = "meld", (split[0], Path(row["filename"]).stem)
            else:
                raise CorpusNotFound(
                    f"{where} has no video_id (IEMOCAP), and no filename in a table named after "
                    "train, dev or test (MELD); give the tables as their script writes them"
                )
            levels = _levels(where, row)
            told[corpus][key] = {} if key in told[corpus] else levels  # of whom is not known
    if not any(told.values()):
        raise CorpusNotFound(f"{root} holds no {_TABLE}; give the folder of corpus and tables")
    found = []
    for corpus, reader in (("iemocap", iemocap), ("meld", meld)):
        if told[corpus]:
            whole = reader.read(root)
            keys = [_key(one) for one in whole]
            if not told[corpus].keys() & set(keys):
                raise CorpusNotFound(
                    f"{root}: no row of the tables of {corpus} is one of its {len(whole)} "
                    f"utterances; one has {next(iter(told[corpus]))}, another {keys[0]}"
                )
            pairs = zip(whole, keys, strict=True)
            found += [replace(one, described=told[corpus].get(key, {})) for one, key in pairs]
    return found


def _levels(where: str, row: dict[str, str]) -> dict[str, int]:
    found = {}
    for column, attribute in _ATTRIBUTES.items():
        category = row[column] or "none"
        if category != "none":
            if category not in _LEVELS:
                raise InputError(f"{where}: {UnknownName(column, category, [*_LEVELS, 'none'])}")
            found[attribute] = _LEVELS[category]
    return found


def _key(one: Utterance) -> _Key:
    if one.corpus == "meld":
        return one.split, f"{one.session.removeprefix(f'{one.split}_')}_utt{one.turn}"
    return one.path.stem.rpartition("_")[0], one.text
