"""The table of predictions: the same after writing and reading, and what it refuses."""

import numpy as np
import pytest

from voxplain.errors import InputError, UnknownName
from voxplain.training.predictions import Predictions

COLUMNS = {
    "file": ["a.wav", "a.wav", "b.wav"],
    "start": [0, 1.5, 0],
    "end": [1.5, 3.0, None],
    "speaker": ["s1", "s1", ""],
    "emotion": ["angry", "surprise", ""],
    "prediction": ["angry", "sad", "sad"],
    "p_angry": [0.7, 0.2, 1 / 3],
    "p_sad": [0.3, 0.8, 2 / 3],
    "votes_sad": [0.0, 1.0, np.nan],
    "votes_angry": [1.0, 0.0, np.nan],
    "valence": [0.25, np.nan, np.nan],
    "p_valence": [0.5, 0.5, 0.5],
}
CSV = """\
file,start,end,speaker,emotion,prediction,p_angry,p_sad
a.wav,0,1.5,s1,angry,angry,0.7,0.3
a.wav,1.5,3.0,s1,surprise,sad,0.2,0.8
b.wav,0,,,,sad,0.334,0.667
"""


def changed(**columns):
    """The table with other columns; None takes one away."""
    return {name: column for name, column in (COLUMNS | columns).items() if column is not None}


def refused(columns, message):
    with pytest.raises(InputError, match=message):
        Predictions(columns)


@pytest.fixture
def table(tmp_path):
    def write(text):
        path = tmp_path / "predictions.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def test_columns_are_arrays_by_name():
    found = Predictions(COLUMNS)
    assert len(found) == 3
    assert found["prediction"].tolist() == ["angry", "sad", "sad"]
    assert found["sex"].tolist() == ["", "", ""]
    assert found.labels == ("angry", "sad")
    np.testing.assert_allclose(found.probabilities, [[0.7, 0.3], [0.2, 0.8], [1 / 3, 2 / 3]])
    np.testing.assert_array_equal(found.votes, [[1, 0], [0, 1], [np.nan, np.nan]])
    with pytest.raises(UnknownName, match=r"unknown column 'predicton'.*mean 'prediction'\?"):
        found["predicton"]


def test_a_clip_is_a_file_from_when_to_when():
    found = Predictions(changed(start=[0.00001, 1.5, 0]))
    assert found.clips == [("a.wav", 0, 1.5), ("a.wav", 1.5, 3), ("b.wav", 0, -1)]


def test_who_is_not_known_depends_on_nobody_else():
    assert Predictions(COLUMNS).clusters.tolist() == ["s1", "s1", "b.wav"]


def test_some_clips_in_another_order():
    found = Predictions(COLUMNS).some(np.array([2, 0]))
    assert found["file"].tolist() == ["b.wav", "a.wav"]
    np.testing.assert_array_equal(found["p_angry"], [1 / 3, 0.7])


def test_labels_without_a_vote_got_none():
    found = Predictions(changed(votes_sad=None, votes_angry=[1.0, np.nan, 1.0]))
    np.testing.assert_array_equal(found.votes, [[1, 0], [np.nan, np.nan], [1, 0]])
    assert np.isnan(Predictions(changed(votes_sad=None, votes_angry=None)).votes).all()


@pytest.mark.parametrize("name", ["table.csv", "table.parquet"])
def test_what_is_written_is_read(tmp_path, name):
    written, path = Predictions(changed(note=["x", "", "7"])), tmp_path / name
    written.write(path)
    found = Predictions.read(path)
    assert set(found.columns) == set(written.columns)
    for column, values in written.columns.items():
        np.testing.assert_array_equal(found[column], values, strict=values.dtype.kind == "f")
    assert [one.name for one in tmp_path.iterdir()] == [name]


def test_the_csv_is_plain(tmp_path, table):
    path = tmp_path / "out.csv"
    Predictions.read(table(CSV)).write(path)
    assert path.read_text() == CSV.replace(",0,", ",0.0,")


def test_a_run_folder_is_read_by_its_table(table):
    path = table(CSV)
    assert Predictions.read(path.parent)["file"].tolist() == ["a.wav", "a.wav", "b.wav"]


def test_a_system_may_tell_dimensions_alone():
    names = ("file", "start", "end", "speaker", "valence", "p_valence")
    found = Predictions({name: COLUMNS[name] for name in names})
    assert found.labels == ()
    assert found.probabilities.shape == found.votes.shape == (3, 0)


@pytest.mark.parametrize("name", ["file", "start", "end", "speaker"])
def test_a_missing_column_is_named(name):
    refused(changed(**{name: None}), f"^predictions need a column '{name}'; there are: .*emotion")


def test_a_missing_clip_is_named():
    refused(changed(file=["a.wav", "", "b.wav"]), "^row 2 names no file$")
    refused(changed(start=[0, None, 0]), "^a.wav from nan s to 3 s has no start; 0 is that of")
    refused(dict.fromkeys(COLUMNS, ()), "^there is no clip in these predictions$")
    refused(changed(emotion=["sad"]), "^the column 'emotion' has 1 rows, file has 3$")


def test_a_clip_that_stands_there_twice_is_named():
    columns = {name: [*column, column[1]] for name, column in COLUMNS.items()}
    refused(columns, "^a.wav from 1.5 s to 3 s stands there 2 times; a clip is judged once$")


def test_something_must_be_predicted():
    told = dict.fromkeys(("prediction", "p_valence", "p_angry", "p_sad"))
    votes = {"votes_sad": None, "votes_angry": None}
    refused(changed(**told, **votes), "^nothing is predicted: there is no prediction and no, say")


@pytest.mark.parametrize("hole", ["", None, np.nan, "nan"])
def test_a_missing_prediction_is_named(hole):
    expected = r"^a.wav from 1.5 s to 3 s has no prediction, others do$"
    refused(changed(prediction=["angry", hole, "sad"]), expected)
    for name in ("p_valence", "p_sad"):
        expected = rf"^a.wav from 1.5 s to 3 s \(and 1 more\) has no {name}; what is predicted is"
        refused(changed(**{name: [0.5, hole, hole]}), expected)


@pytest.mark.parametrize("row", [(0.5, 0.4), (1.2, -0.2)])
def test_probabilities_that_do_not_add_to_one_are_named(row):
    first, second = row
    expected = (
        rf"^a.wav from 0 s to 1.5 s has probabilities \[\[{first}, {second}\]\]; "
        "they are shares, and add to 1$"
    )
    refused(changed(p_angry=[first, 0.2, 1 / 3], p_sad=[second, 0.8, 2 / 3]), expected)


def test_a_label_without_a_probability_is_named():
    expected = (
        r"^b.wav from 0 s to its end is given a label without a probability; "
        r"they are of angry, sad$"
    )
    refused(changed(prediction=["angry", "sad", "calm"]), expected)


def test_votes_must_be_shares_of_labels_that_the_system_may_give():
    expected = r"^a.wav from 0 s to 1.5 s has votes \[\[3.0, 0.0\]\]; they are shares"
    refused(changed(votes_angry=[3.0, 0.0, np.nan]), expected)
    expected = r"^there are votes for 'calm', but no column p_calm; a system that does not know"
    refused(changed(votes_calm=[0, 0, 0]), expected)
    expected = r"^a.wav from 1.5 s to 3 s has votes for some labels alone$"
    refused(changed(votes_sad=[0.0, np.nan, np.nan]), expected)


def test_what_is_no_number_is_named():
    refused(
        changed(p_sad=["0.3", "much", "0.6"]), "^the column 'p_sad' holds what is no number.*mu"
    )
    refused(changed(valence=["inf", "", ""]), "^the column 'valence' holds a number without end$")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "predictions need a column 'file'; there are: none$"),
        ("file,start,end,speaker\n", "there is no clip in these predictions$"),
        ("file,start,end,speaker,file\n", "the column 'file' stands there 2 times$"),
        (CSV + "c.wav,0,\n", "row 4 has 3 cells, the header 8$"),
        (CSV.replace("0.7", "0.8"), r"a.wav from 0 s to 1.5 s has probabilities \[\[0.8, 0.3\]\]"),
    ],
)
def test_a_table_that_is_none_is_named(table, text, message):
    path = table(text)
    with pytest.raises(InputError, match=rf"^{path}: {message}"):
        Predictions.read(path)


def test_files_that_are_no_tables_are_named(tmp_path):
    with pytest.raises(InputError, match=r"predictions.csv can't be read: No such file"):
        Predictions.read(tmp_path)
    for name in ("noise.csv", "noise.parquet"):
        (tmp_path / name).write_bytes(b"\xff\xfe\x00 no table")
        with pytest.raises(InputError, match=name):
            Predictions.read(tmp_path / name)


def test_other_kinds_of_table_are_not_written(tmp_path):
    with pytest.raises(UnknownName, match=r"unknown kind of table '.xlsx'; available: .csv, .parq"):
        Predictions(COLUMNS).write(tmp_path / "table.xlsx")
