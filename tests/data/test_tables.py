"""Tests of metadata.csv and the lists of what was left out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kickpipe.data.tables import (
    LeftOut,
    Sample,
    TableError,
    count_reasons,
    format_counts,
    read_metadata,
    write_left_out,
    write_metadata,
)

text = st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20)
word = st.text(alphabet=st.characters(categories=["Ll", "Nd"], include_characters='",;'), min_size=1, max_size=6)


def test_metadata_has_exactly_the_specified_columns(tmp_path):
    path = tmp_path / "metadata.csv"
    write_metadata(path, [Sample("a3f2e1_KICK3.WAV", "pack/KICK3.WAV", ("deep", "kick3"))])
    assert path.read_text().splitlines() == [
        "filename,original_path,keywords",
        "a3f2e1_KICK3.WAV,pack/KICK3.WAV,deep kick3",
    ]


@given(st.lists(st.builds(Sample, text, text, st.lists(word, max_size=3).map(tuple)), max_size=4))
def test_metadata_survives_writing_and_reading(tmp_path_factory, samples):
    path = tmp_path_factory.mktemp("tables") / "metadata.csv"
    write_metadata(path, samples)
    assert read_metadata(path) == samples


def test_names_that_look_like_numbers_or_gaps_stay_what_they_are(tmp_path):
    samples = [Sample("000001_NA.wav", "1/NA", ("808",)), Sample("NaN", "", ()), Sample("1e5", "007", ("null",))]
    write_metadata(tmp_path / "metadata.csv", samples)
    assert read_metadata(tmp_path / "metadata.csv") == samples


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path):
    content = "\ufefffilename,original_path,keywords\r\na1_größe.wav,größe.wav,deep kick\r\n"
    (tmp_path / "metadata.csv").write_bytes(content.encode())
    assert read_metadata(tmp_path / "metadata.csv") == [Sample("a1_größe.wav", "größe.wav", ("deep", "kick"))]


def test_a_table_without_rows_is_empty(tmp_path):
    write_metadata(tmp_path / "metadata.csv", [])
    assert read_metadata(tmp_path / "metadata.csv") == []


def test_a_missing_table_says_which_stage_writes_it(tmp_path):
    with pytest.raises(TableError, match="dvc repro aggregate"):
        read_metadata(tmp_path / "metadata.csv")


@pytest.mark.parametrize("content", ["", "filename,keywords\n", "path,reason,detail\n"])
def test_a_table_with_other_columns_is_refused(tmp_path, content):
    path = tmp_path / "metadata.csv"
    path.write_text(content)
    with pytest.raises(TableError, match="expected the columns filename, original_path, keywords"):
        read_metadata(path)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ("a,b,c\na,b\n", "row 2: expected 3 fields, found fewer"),
        ("a,b,c,d\na,b,c,d\n", "row 1: expected 3 fields, found more"),
        ("a,b,c\na,b,c,d\n", "Expected 3 fields in line 3, saw 4"),
    ],
)
def test_a_row_of_another_length_is_refused_by_its_place(tmp_path, rows, message):
    path = tmp_path / "metadata.csv"
    path.write_text(f"filename,original_path,keywords\n{rows}")
    with pytest.raises(TableError, match=message):
        read_metadata(path)


@pytest.mark.parametrize("content", [b"filename,original_path,keywords\n\xff,b,c\n", b"PK\x03\x04\0\0\0", bytes(9)])
def test_a_file_that_is_no_table_is_an_error_that_names_it(tmp_path, content):
    (tmp_path / "metadata.csv").write_bytes(content)
    with pytest.raises(TableError, match=r"metadata\.csv: "):
        read_metadata(tmp_path / "metadata.csv")


def test_reasons_are_counted_with_those_that_did_not_occur(tmp_path):
    items = [LeftOut("a.wav", "silent", "silent"), LeftOut("b.wav", "silent", "silent"), LeftOut("c.wav", "empty", "")]
    assert count_reasons(items, ["empty", "silent", "truncated"]) == {"empty": 1, "silent": 2, "truncated": 0}
    assert format_counts(items, {"empty": "no samples", "silent": "no sound"}) == [
        "       2  no sound",
        "       1  no samples",
    ]
    write_left_out(tmp_path / "left_out.csv", items)
    assert (tmp_path / "left_out.csv").read_text().splitlines()[:2] == ["path,reason,detail", "a.wav,silent,silent"]
