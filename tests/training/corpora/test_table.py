"""Tables: rows become utterances, whoever wrote them; what is wrong in one is told by its line."""

import json
from datetime import timedelta
from pathlib import Path

import audformat
import pandas as pd
import pytest

from voxplain.errors import CorpusNotFound, InputError, UnknownName
from voxplain.training.corpora import table
from voxplain.training.corpora._reading import Utterance


def write(folder, text, name="list.csv"):
    for sound in ("a.wav", "deep/b.wav"):
        (folder / sound).parent.mkdir(exist_ok=True)
        (folder / sound).touch()
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def utterance(path, **told):
    return Utterance(path=path, **{"corpus": "", "speaker": "", "sex": "", "sentence": "", **told})


def test_a_row_is_an_utterance(tmp_path):
    path = write(
        tmp_path,
        "file,speaker,emotion,start,end,split,sex,sentence,text,language,valence,arousal,dominance,"
        "session,turn,strength,corpus,emphasis,hair\n"
        "a.wav,7,Anger,0.5,1.25,validation,F,s1,Hello there,en,0.1,0.9,,d3,4,strong,mine,0 1,red\n"
        f"{tmp_path}/deep/b.wav,mine_8,neu,,,Test,male,,Good bye,,,,,,,,mine,,\n",
    )
    assert table.read(path) == [
        Utterance(
            path=tmp_path / "a.wav",
            corpus="mine",
            speaker="mine_7",
            sex="female",
            emotion="angry",
            sentence="s1",
            label="Anger",
            text="Hello there",
            start=0.5,
            end=1.25,
            split="dev",
            session="d3",
            turn=4,
            dimensions={"valence": 0.1, "arousal": 0.9},
            strength="strong",
            language="en",
            emphasis=(0, 1),
        ),
        Utterance(
            path=tmp_path / "deep/b.wav",
            corpus="mine",
            speaker="mine_8",
            sex="male",
            emotion="neutral",
            sentence="Good bye",
            label="neu",
            text="Good bye",
            split="test",
        ),
    ]


ROWS = [("a.wav", 0.0, 1.5, "anger"), ("a.wav", 90061.25, None, "xxx")]


@pytest.mark.parametrize("suffix", ["csv", "tsv", "parquet", "jsonl"])
def test_every_kind_of_table_gives_the_same(tmp_path, suffix):
    path = write(tmp_path, "", f"list.{suffix}")
    frame = pd.DataFrame(ROWS, columns=["file", "start", "end", "emotion"])
    if suffix == "jsonl":
        frame.to_json(path, orient="records", lines=True)
    else:
        for column in ("start", "end"):  # as audformat and nkululeko write them
            frame[column] = pd.to_timedelta(frame[column], unit="s")
        if suffix == "parquet":
            frame.set_index(["file", "start", "end"]).to_parquet(path)
        else:
            frame.to_csv(path, index=False, sep={"csv": ",", "tsv": "\t"}[suffix])
    sound = tmp_path / "a.wav"
    assert table.read(path) == [
        utterance(sound, emotion="angry", label="anger", end=1.5),
        utterance(sound, emotion="", label="xxx", start=90061.25),  # a day, an hour, a minute
    ]


def test_times_may_be_those_that_pandas_prints(tmp_path):
    frame = pd.DataFrame({"file": ["a.wav"], "emotion": ["sad"]})
    frame["start"], frame["end"] = pd.Timedelta("500ms"), pd.Timedelta("0 days 01:00:02")
    (one,) = table.read(write(tmp_path, frame.to_csv(index=False)))
    assert (one.start, one.end) == (0.5, 3602.0)
    assert str(frame["end"][0]) == "0 days 01:00:02"
    assert timedelta(hours=1, seconds=2).total_seconds() == one.end


def test_nkululeko_names_the_sex_gender_and_a_byte_order_mark_does_no_harm(tmp_path):
    path = write(tmp_path, "\ufefffile,speaker,gender,emotion\na.wav,s1,female,happy\n")
    (one,) = table.read(path)
    assert (one.speaker, one.sex, one.emotion) == ("s1", "female", "happy")


def test_dimensions_alone_will_do(tmp_path):
    (one,) = table.read(write(tmp_path, "file,arousal\na.wav,0.25\n"))
    assert (one.emotion, one.label, one.dimensions) == ("", "", {"arousal": 0.25})


def test_words_that_stand_out_may_come_as_pandas_writes_a_column_with_gaps(tmp_path):
    frame = pd.DataFrame(
        {"file": ["a.wav", "deep/b.wav"], "emotion": "sad", "text": "Oh no!", "emphasis": [1, None]}
    )
    path = write(tmp_path, frame.to_csv(index=False))
    assert [one.emphasis for one in table.read(path)] == [(1,), ()]


def test_recordings_are_found_below_another_folder_whatever_their_suffix(tmp_path):
    path = write(tmp_path, "file,emotion\ndownloads/x/take.wav,sad\n")
    audio = tmp_path / "elsewhere"
    for place in ("x/take.opus", "y/take.flac"):
        (audio / place).parent.mkdir(parents=True)
        (audio / place).touch()
    assert table.read(path, audio=audio)[0].path == audio / "x/take.opus"
    (tmp_path / "list.csv").write_text("file,emotion\ntake.wav,sad\n")
    with pytest.raises(
        InputError, match=r"take\.wav may be .*x/take\.opus or .*y/take\.flac; give"
    ):
        table.read(path, audio=audio)
    with pytest.raises(CorpusNotFound, match=r"there is no folder .*nowhere; give"):
        table.read(path, audio=tmp_path / "nowhere")


def test_missing_recordings_are_counted_unless_the_list_may_be_partial(tmp_path):
    path = write(tmp_path, "file,emotion\na.wav,sad\nc.wav,sad\nd.wav,sad\n")
    with pytest.raises(CorpusNotFound, match=r"2 of 3 recordings are not there, e\.g\. .*c\.wav;"):
        table.read(path)
    found = table.read(path, partial=True)
    assert [one.path for one in found] == [tmp_path / name for name in ("a.wav", "c.wav", "d.wav")]


def test_a_recording_may_stand_in_two_splits_for_the_audit_to_find(tmp_path):
    path = write(tmp_path, "file,emotion,split\na.wav,sad,train\na.wav,sad,test\n")
    assert [one.split for one in table.read(path)] == ["train", "test"]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("file,emotion\na.wav,sad\na.wav,\n", r"list\.csv line 3: the label is empty; fill it"),
        (
            "file,emotion\na.wav,joyfull\n",
            r"line 2: unknown emotion label 'joyfull'; available: amused",
        ),
        ("file,emotion\na.wav,nan\n", "line 2: unknown emotion label 'nan'"),
        ("name,emotion\na.wav,sad\n", r"no column for the recording \(file, .*are name, emotion$"),
        ("file,mood\na.wav,sad\n", r"no column for the emotion \(emotion, .*are file, mood$"),
        ("file,emotion\n,sad\n", "line 2: the name of the recording is empty"),
        ("file,emotion\na.wav,sad\na.wav,fear\n", r"line 3: .*a\.wav stands already in .* line 2;"),
        ("file,emotion,start,end\na.wav,sad,2,1\n", "line 2: it ends at 1 s but starts at 2 s"),
        ("file,emotion,start\na.wav,sad,-1\n", "line 2: start is -1; times count from the start"),
        ("file,emotion,start\na.wav,sad,soon\n", "line 2: start is 'soon', which is no number"),
        ("file,emotion,end\na.wav,sad,inf\n", "line 2: end is 'inf', which is no number"),
        ("file,valence\na.wav,4\n", r"valence is 4; ratings lie in \[0, 1\]: \(x - lowest\)"),
        *(
            (
                f"file,emotion,text,emphasis\na.wav,sad,Oh no!,{wrong}\n",
                rf"line 2: emphasis is '{wrong}'; it counts .* from 0, .* and the text has 2$",
            )
            for wrong in ("2", "0 -1", "0.5")
        ),
        ("file,emotion,emphasis\na.wav,sad,no\n", "line 2: emphasis is 'no', which is no number"),
        ("file,emotion\na.wav,sad,1\n", "line 2 has not as many cells as the first line"),
        ("file,emotion\na.wav\n", "line 2 has not as many cells as the first line"),
        ("file,emotion\n", "the list has no rows; give one with recordings"),
    ],
)
def test_what_is_wrong_in_a_table_is_told_by_its_line(tmp_path, text, says):
    with pytest.raises(InputError, match=says):
        table.read(write(tmp_path, text))


def test_broken_files_are_refused(tmp_path):
    cases = {
        "list.jsonl": ('{"file": "a.wav", "emo": "sad"}\n{\n', InputError, "line 2 is not JSON"),
        "more.jsonl": ("[1]\n", InputError, r"line 1 is no JSON object: \[1\]"),
        "list.parquet": ("no", InputError, "is not a Parquet table"),
        "list.csv": ('file,emotion\n"a.wav,sad\n', CorpusNotFound, "can't be read: unexpected end"),
        "list.xlsx": ("", UnknownName, r"unknown kind of list '\.xlsx'; available: \.csv"),
    }
    for name, (text, error, says) in cases.items():
        with pytest.raises(error, match=says):
            table.read(write(tmp_path, text, name))
    with pytest.raises(CorpusNotFound, match=r"none\.csv can't be read: .*No such file"):
        table.read(tmp_path / "none.csv")
    (tmp_path / "latin.csv").write_bytes("file,emotion\nä.wav,sad\n".encode("latin-1"))
    with pytest.raises(CorpusNotFound, match=r"latin\.csv can't be read: 'utf-8' codec"):
        table.read(tmp_path / "latin.csv")
    with pytest.raises(CorpusNotFound, match=r"holds no db\.yaml; give a table, or an audformat"):
        table.read(tmp_path)


def database():
    """Two speakers, a sentence, whole files and stretches, a rating from 1 to 7, a split."""
    base = audformat.Database("mini", license="CC0-1.0", languages=["deu"])
    base.schemes["speaker"] = audformat.Scheme(
        "str", labels={"s1": {"gender": "female"}, "s2": {"gender": "male"}}
    )
    base.schemes["words"] = audformat.Scheme("str", labels={"a01": "Der Lappen"})
    base.schemes["emotion"] = audformat.Scheme("str", labels=["anger", "happiness"])
    base.schemes["rating"] = audformat.Scheme("float", minimum=1, maximum=7)
    base.splits["test"] = audformat.Split("test")

    def table(name, index, columns, **more):
        base[name] = audformat.Table(index, **more)
        for column, (scheme, values) in columns.items():
            base[name][column] = audformat.Column(scheme_id=scheme)
            base[name][column].set(values)

    whole = audformat.filewise_index(["deep/b.wav", "a.wav"])
    table(
        "files",
        whole,
        {"speaker": ("speaker", ["s2", "s1"]), "transcription": ("words", ["a01", None])},
    )
    table("emotion", whole[:1], {"emotion": ("emotion", ["anger"])})
    parts = audformat.segmented_index(["a.wav", "a.wav"], [0, "1s"], ["1s", pd.NaT])
    table(
        "parts.test",
        parts,
        {"emotion": ("emotion", ["happiness", "anger"]), "valence": ("rating", [1, 4])},
        split_id="test",
    )
    return base


@pytest.mark.parametrize("storage", ["csv", "parquet"])
def test_an_audformat_database_is_read_with_what_all_its_tables_say(tmp_path, storage):
    write(tmp_path, "")
    database().save(str(tmp_path), storage_format=storage)
    woman = {"corpus": "mini", "speaker": "mini_s1", "sex": "female", "split": "test"}
    parts = [
        utterance(tmp_path / "a.wav", emotion="happy", label="happiness", end=1.0, **woman),
        utterance(tmp_path / "a.wav", emotion="angry", label="anger", start=1.0, **woman),
    ]
    parts = [
        Utterance(**{**{f: getattr(one, f) for f in one.__slots__}, "dimensions": {"valence": v}})
        for one, v in zip(parts, (0.0, 0.5), strict=True)
    ]
    man = utterance(
        tmp_path / "deep/b.wav",
        corpus="mini",
        speaker="mini_s2",
        sex="male",
        emotion="angry",
        label="anger",
        sentence="a01",
        text="Der Lappen",
    )
    assert table.read(tmp_path) == [man, *parts]
    assert table.read(tmp_path / f"db.parts.test.{storage}") == parts


def test_tables_that_judge_differently_are_told_and_one_of_them_will_do(tmp_path):
    write(tmp_path, "")
    base = database()
    base["other"] = audformat.Table(audformat.filewise_index(["deep/b.wav"]))
    base["other"]["emotion"] = audformat.Column(scheme_id="emotion")
    base["other"]["emotion"].set(["happiness"])
    base.save(str(tmp_path), storage_format="csv")
    with pytest.raises(InputError, match=r"db\.other\.csv line 2 and .* judge deep/b\.wav differ"):
        table.read(tmp_path)
    (one,) = table.read(tmp_path / "db.other.csv")
    assert (one.emotion, one.speaker) == ("happy", "mini_s2")


def test_a_database_that_lacks_a_table_or_its_header_is_refused(tmp_path):
    write(tmp_path, "")
    database().save(str(tmp_path), storage_format="csv")
    Path(tmp_path / "db.files.csv").unlink()
    with pytest.raises(CorpusNotFound, match=r"no db\.files\.parquet or \.csv; save the database"):
        table.read(tmp_path)
    (tmp_path / "db.yaml").write_text("name: mini\n")
    with pytest.raises(CorpusNotFound, match=r"db\.yaml is no header of an audformat database"):
        table.read(tmp_path)


def test_speakers_may_be_described_in_a_table_of_their_own(tmp_path):
    write(tmp_path, "")
    header = {
        "name": "mini",
        "schemes": {"speaker": {"dtype": "str", "labels": "people"}},
        "misc_tables": {"people": {"levels": {"id": "str"}, "columns": {"gender": {}}}},
        "tables": {
            "files": {"columns": {"speaker": {"scheme_id": "speaker"}, "emotion": {}}},
        },
    }
    (tmp_path / "db.yaml").write_text(json.dumps(header))
    (tmp_path / "db.people.csv").write_text("id,gender\ns1,female\n")
    (tmp_path / "db.files.csv").write_text("file,speaker,emotion\na.wav,s1,anger\n")
    (one,) = table.read(tmp_path)
    assert (one.speaker, one.sex, one.emotion) == ("mini_s1", "female", "angry")
