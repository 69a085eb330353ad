"""The word lint: it reports names and prose, and leaves tests, quotes and foreign output alone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lint.vocabulary import NAMES, PROSE, violations
from tests.lint.words import ROOT, check, main, tracked_files


def found(folder: Path, name: str, text: str) -> list[tuple[int, str]]:
    """Lines and words of the findings in a file."""
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return [(finding.line, finding.words) for finding in check(file)]


@pytest.mark.parametrize(
    ("prose", "words"),
    [
        ("It tells which.", "tells"),
        ("A file that says so.", "says"),
        ("It can not start.", "can not"),
        ("A run begun yesterday is made anew.", "begun"),
        ("This is no error.", "is no error"),
        ("A machine of ours.", "of ours"),
        ("The disk is taken away.", "taken away"),
        ("The run goes on.", "goes on"),
        ("The image that is there.", "that is there"),
    ],
)
def test_avoided_words_are_found_in_prose(prose: str, words: str) -> None:
    assert words in [match for _, match, _ in violations(prose, PROSE)]


@pytest.mark.parametrize(
    "prose",
    [
        "There is no machine.",
        "The lease is no longer valid.",
        "It has not started.",
        "A hypervisor without a console.",
        "An ongoing run cannot be resumed.",
    ],
)
def test_plain_english_is_not_found(prose: str) -> None:
    assert violations(prose, PROSE) == []


def test_names_are_read_word_by_word(tmp_path: Path) -> None:
    code = "def it_tells(said: int) -> None:\n    begunRun = said\n\n\nclass Told:\n    pass\n"
    assert found(tmp_path, "a.py", code) == [(1, "tells"), (1, "said"), (2, "begun"), (5, "told")]
    assert violations("saidan", NAMES) == []


def test_names_of_tests_stay(tmp_path: Path) -> None:
    assert found(tmp_path, "a.py", "def test_it_is_told() -> None:\n    assert True\n") == []


def test_docstrings_comments_and_messages_are_read(tmp_path: Path) -> None:
    code = '"""What it tells."""\n\nX = 1\n"""Says one."""\nY = f"{X} can not run"  # begun\n'
    expected = [(1, "tells"), (4, "says"), (5, "begun"), (5, "can not")]
    assert sorted(found(tmp_path, "a.py", code)) == expected


def test_a_docstring_reports_the_line_of_the_word(tmp_path: Path) -> None:
    assert found(tmp_path, "a.py", '"""One.\n\nIt tells more.\n"""\n') == [(3, "tells")]


@pytest.mark.parametrize(
    "code",
    ['X = r"the installer said no"\n', 'X = b"the guest said no"\n', "# `told` is quoted\n"],
)
def test_output_of_other_programs_is_left_alone(tmp_path: Path, code: str) -> None:
    assert found(tmp_path, "a.py", code) == []


def test_names_of_other_makers_are_left_alone(tmp_path: Path) -> None:
    assert found(tmp_path, "a.py", "import library\n\nlibrary.tell(library.said)\n") == []


def test_documents_are_read_without_their_code(tmp_path: Path) -> None:
    document = 'It tells.\n\n    said\n\n```\ntold\n```\n\n`says`, [a link](told.md), "told"\n'
    assert found(tmp_path, "a.md", document) == [(1, "tells")]


def test_comments_of_data_files_are_read(tmp_path: Path) -> None:
    assert found(tmp_path, "a.yaml", "key: it tells  # anew\n") == [(1, "anew")]


def test_a_finding_names_file_line_word_and_replacement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.md"
    file.write_text("It can not.\n", encoding="utf-8")
    assert main([str(file)]) == 1
    assert capsys.readouterr().out == f"{file}:1: 'can not'; say: cannot\n"


def test_a_clean_file_passes(tmp_path: Path) -> None:
    file = tmp_path / "a.md"
    file.write_text("It cannot.\n", encoding="utf-8")
    assert main([str(file)]) == 0


def test_the_checkout_is_read_without_recorded_output() -> None:
    files = {str(file.relative_to(ROOT)) for file in tracked_files()}
    assert "harness/waiting.py" in files
    assert not [name for name in files if name.startswith("tests/data/")]
