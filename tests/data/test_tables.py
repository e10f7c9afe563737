"""Tests of metadata.csv and the lists of what was left out."""

import pandas
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


def test_pandas_reads_the_same(tmp_path):
    path = tmp_path / "metadata.csv"
    samples = [Sample("1_a.wav", 'comma, "quote"\nnewline\rreturn.wav', ("kick",)), Sample("2_b.wav", "🥁/b.wav", ())]
    write_metadata(path, samples)
    table = pandas.read_csv(path, keep_default_na=False)
    assert table.columns.tolist() == ["filename", "original_path", "keywords"]
    assert table.original_path.tolist() == [sample.original_path for sample in samples]


def test_a_missing_table_says_which_stage_writes_it(tmp_path):
    with pytest.raises(TableError, match="dvc repro aggregate"):
        read_metadata(tmp_path / "metadata.csv")


@pytest.mark.parametrize("content", ["", "filename,keywords\n", "path,reason,detail\n"])
def test_a_table_with_other_columns_is_refused(tmp_path, content):
    path = tmp_path / "metadata.csv"
    path.write_text(content)
    with pytest.raises(TableError, match="expected the columns filename, original_path, keywords"):
        read_metadata(path)


def test_a_row_with_too_few_fields_is_refused_by_its_line(tmp_path):
    path = tmp_path / "metadata.csv"
    path.write_text("filename,original_path,keywords\na,b,c\na,b\n")
    with pytest.raises(TableError, match="line 3"):
        read_metadata(path)


def test_reasons_are_counted_with_those_that_did_not_occur(tmp_path):
    items = [LeftOut("a.wav", "silent", "silent"), LeftOut("b.wav", "silent", "silent"), LeftOut("c.wav", "empty", "")]
    assert count_reasons(items, ["empty", "silent", "truncated"]) == {"empty": 1, "silent": 2, "truncated": 0}
    assert format_counts(items, {"empty": "no samples", "silent": "no sound"}) == [
        "       2  no sound",
        "       1  no samples",
    ]
    write_left_out(tmp_path / "left_out.csv", items)
    assert (tmp_path / "left_out.csv").read_text().splitlines()[:2] == ["path,reason,detail", "a.wav,silent,silent"]
