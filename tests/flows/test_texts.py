from __future__ import annotations

import pytest

from flows.texts import Catalogue, parse_catalogue

FILES = {
    "en/a.toml": '[language]\nname = "English"\n[step.age]\nquestion = """\nHow old?\n"""\n',
    "en/b.toml": '[step.age.adult]\nlabel = "{years} or more"\nsynonyms = ["grown", " adult "]\n',
}


def english() -> Catalogue:
    return parse_catalogue("en", FILES)


def test_files_of_a_locale_are_one_catalogue() -> None:
    assert set(english().texts) == {
        "language.name",
        "step.age.question",
        "step.age.adult.label",
        "step.age.adult.synonyms",
    }


def test_words_lose_the_space_around_them() -> None:
    assert english().text("step.age.question") == "How old?"
    assert english().words("step.age.adult.synonyms") == ("grown", "adult")


def test_a_placeholder_is_filled() -> None:
    assert english().text("step.age.adult.label", years=22, more="unused") == "22 or more"


def test_a_placeholder_without_a_value_is_named_with_its_text() -> None:
    with pytest.raises(KeyError, match=r"step\.age\.adult\.label in en .* 'years'"):
        english().text("step.age.adult.label")


def test_a_line_that_names_what_a_clinic_leaves_open_is_left_out() -> None:
    words = parse_catalogue("en", {"a": 'help = """\nCall {phone}.\nOr {crisis_line}.\n"""'})

    assert words.text("help", phone="1", crisis_line="2") == "Call 1.\nOr 2."
    assert words.text("help", phone="", crisis_line="") == "Call ."


def test_a_missing_text_is_named() -> None:
    with pytest.raises(KeyError, match=r"step\.age\.why"):
        english().text("step.age.why")


def test_a_list_is_not_read_as_one_text() -> None:
    with pytest.raises(TypeError, match=r"step\.age\.adult\.synonyms"):
        english().text("step.age.adult.synonyms")


def test_one_text_is_not_read_as_a_list() -> None:
    with pytest.raises(TypeError, match=r"step\.age\.question"):
        english().words("step.age.question")


def test_a_missing_list_is_empty() -> None:
    assert english().words("step.age.minor.synonyms") == ()


def test_a_catalogue_tells_what_it_has() -> None:
    assert english().has("step.age.question")
    assert not english().has("step.age")


def test_a_language_has_its_own_name() -> None:
    assert english().name == "English"
    assert parse_catalogue("xx", {}).name == "xx"
    assert parse_catalogue("xx", {"a": 'language.name = ["X"]'}).name == "xx"


def test_a_key_in_two_files_names_both() -> None:
    again = {**FILES, "en/c.toml": 'step.age.question = "Age?"'}

    with pytest.raises(ValueError, match=r"step\.age\.question .* en/a\.toml and en/c\.toml"):
        parse_catalogue("en", again)


def test_a_file_that_is_not_toml_is_named() -> None:
    with pytest.raises(ValueError, match=r"en/c\.toml must be TOML: Invalid value"):
        parse_catalogue("en", {"en/c.toml": "step.age = "})


@pytest.mark.parametrize("value", ["3", "true", "[1, 2]", '["a", ["b"]]'])
def test_a_value_that_is_no_words_is_named(value: str) -> None:
    with pytest.raises(ValueError, match=r"step\.age\.why in en/c\.toml must be words"):
        parse_catalogue("en", {"en/c.toml": f"step.age.why = {value}"})
