"""What a terminal would obey is shown as an escape."""

import json

import pytest

from kickpipe.common.text import visible


@pytest.mark.parametrize("text", ["", "deep 808", "größe 🥁 ♭", "two\nlines", "family 👩\u200d👧"])
def test_text_stays_as_it_is(text):
    assert visible(text) == text


def test_commands_become_escapes():
    assert visible("\x1b[31mred\x07\r") == r"\u001b[31mred\u0007\u000d"
    assert visible("\x9b1A\x7f\u202egnp.exe\u2028") == r"\u009b1A\u007f\u202egnp.exe\u2028"
    assert visible("\udcff") == r"\udcff"


def test_json_stays_the_same_json():
    values = {"word\x9b": "\u202e\x7f", "é": ["\x1b"]}
    assert json.loads(visible(json.dumps(values, ensure_ascii=False))) == values
