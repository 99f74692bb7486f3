"""`resurface clinic init` again: what the bot goes by counts, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable
from io import StringIO
from pathlib import Path

import pytest

from clinic.commands import export_text, with_database
from storage import clinic_document, clinic_protocols, clinics, staff
from storage.clinic_document import Document
from storage.clinic_protocols import Version
from storage.protocol_versions import ProtocolText
from storage.staff import Member
from tests.builders import NOW
from tests.clinic.clinic_init import ANSWERS, commands, init, run, written

#: Everything that a clinic file can say and no question asks for.
RICH = """
[[clinics]]
slug = "elm"
name = "Elm"
zone = "Europe/Berlin"
address = "Ulmenweg 1"
phone = "+49 30 1234567"
map_url = "https://maps.example/elm"
privacy_url = "https://elm.example/privacy"
emergency = "112"
[clinics.booking]
mode = "request"
hold_minutes = 7
notice_hours = 48
horizon_days = 90
cancel_hours = 72
[clinics.services.treatment]
name = "Needling"
minutes = 50
before_minutes = 5
after_minutes = 10
step_minutes = 20
[clinics.services.consultation]
name = "First talk"
minutes = 20
step_minutes = 10
price = "free"
[[clinics.practitioners]]
slug = "visiting"
name = "Dr Gast"
hours = {}
[[clinics.practitioners.days]]
on = 2026-12-04
hours = ["09:00-12:00"]
[[clinics.practitioners]]
slug = "ada"
name = "Ada Ulme"
hours = {mon = ["08:30-12:00", "13:00-17:00"], sat = ["10:00-14:00"]}
[[clinics.practitioners.days]]
on = 2026-12-24
[[clinics.closures]]
from = 2026-12-27
until = 2026-12-30
note = "Rest"
"""


def url(folder: Path) -> str:
    return f"sqlite:///{folder}/resurface.db"


def exported(folder: Path) -> str:
    return export_text(url(folder), (), beside=False)[0]


def imported(folder: Path, text: str) -> None:
    """What the console does: the database changes, and the wizard's file does not."""
    (folder / "other.toml").write_text(text, "utf-8")
    assert run(folder, "import", str(folder / "other.toml")).exit_code == 0


def entered(folder: Path, typed: str = "\n" * 60) -> str:
    result = run(folder, "init", "--file", str(folder / "clinic.toml"), typed=typed)
    assert result.exit_code == 0, result.output
    return result.output


def in_the_console(folder: Path) -> Document:
    """Change a price and a Saturday; return what the bot goes by then."""
    changed = exported(folder).replace("£160", "£175").replace('["10:00-14:00"]', '["11:00-13:00"]')
    imported(folder, changed)
    return clinic_document.document(
        with_database(url(folder), lambda data: data.read(clinic_document.entry_of, "oak"))
    )


def test_what_was_changed_in_the_console_stays_when_enter_is_pressed(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    old = (tmp_path / "clinic.toml").read_text("utf-8")
    now = in_the_console(tmp_path)

    told = entered(tmp_path)

    assert "clinic.toml differs from what the bot goes by, such as changes made in the" in told
    assert clinic_document.document(written(tmp_path)) == now
    assert (tmp_path / "clinic.toml.old").read_text("utf-8") == old


@pytest.mark.parametrize("file", [RICH, RICH + clinics.demo_text()])
def test_enter_throughout_changes_nothing(tmp_path: Path, file: str) -> None:
    (tmp_path / "clinic.toml").write_text(file, "utf-8")
    imported(tmp_path, file)
    before = exported(tmp_path)

    told = entered(tmp_path)

    assert exported(tmp_path) == before
    assert (tmp_path / "clinic.toml").read_text("utf-8") == before
    assert "differs" not in told


def test_the_file_is_begun_from_where_the_database_has_no_such_clinic(tmp_path: Path) -> None:
    (tmp_path / "clinic.toml").write_text(RICH, "utf-8")

    entered(tmp_path)

    assert exported(tmp_path) == (tmp_path / "clinic.toml").read_text("utf-8")
    assert (written(tmp_path).booking.notice_hours, len(written(tmp_path).closures)) == (48, 1)


def test_the_other_clinics_of_the_file_are_not_put_back_either(tmp_path: Path) -> None:
    (tmp_path / "clinic.toml").write_text(RICH + clinics.demo_text(), "utf-8")
    imported(tmp_path, RICH + clinics.demo_text().replace("£180", "£200"))

    entered(tmp_path)

    assert '"£200"' in exported(tmp_path)


def test_a_clinics_own_numbers_stay(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    own = Version("small/1/abc", "abc", ProtocolText("text", "overrides"))
    with_database(url(tmp_path), lambda data: data.write(clinic_protocols.use, "oak", own, NOW))

    entered(tmp_path)

    numbers = with_database(url(tmp_path), lambda data: data.read(clinic_protocols.overrides))
    assert numbers == {"oak": "overrides"}


def test_answers_in_a_file_win_over_the_database(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    now = in_the_console(tmp_path)

    init(tmp_path, 'phone = "+44 20 7946 0009"\n[treatment]\nprice = "£190"', "--yes")

    services = {**now["services"], "treatment": {**now["services"]["treatment"], "price": "£190"}}
    wanted = {**now, "phone": "+44 20 7946 0009", "services": services}
    assert clinic_document.document(written(tmp_path)) == wanted


def test_without_its_file_a_known_clinic_is_gone_on_from(tmp_path: Path) -> None:
    imported(tmp_path, RICH)

    told = init(tmp_path, 'name = "Elm"\nphone = "12345"', "--yes").output

    assert "The bot knows elm" in told
    assert (written(tmp_path).phone, len(written(tmp_path).closures)) == ("12345", 1)


def test_a_new_clinic_never_takes_over_another_of_a_like_name(tmp_path: Path) -> None:
    imported(tmp_path, RICH)

    init(tmp_path, ANSWERS.replace("Oak & Elm Skin", "Elm & Oak"), "--yes")

    assert (written(tmp_path).slug, written(tmp_path).closures) == ("elmoak", ())
    assert 'name = "Elm"' in exported(tmp_path)


def test_nobody_gets_the_visits_of_somebody_else(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    people = '[[people]]\nname = "Zoe"\nhours = "daily 9-17"\n[[people]]\nname = "Ben Elm"\n'

    init(tmp_path, people, "--yes")

    named = {person.slug: person.name for person in written(tmp_path).practitioners}
    assert named == {"zoe": "Zoe", "ben": "Ben Elm"}


def test_a_person_may_get_a_new_name(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")
    people = '[[people]]\nname = "A. Oak"\nsame = "yes"\n[[people]]\nname = "Dr Ben Oak"\n'

    init(tmp_path, people, "--yes")

    named = {person.slug: person.name for person in written(tmp_path).practitioners}
    assert named == {"ada": "A. Oak", "ben": "Dr Ben Oak"}


class Meanwhile(StringIO):
    """Enter throughout; something happens when the first answer is given."""

    def __init__(self, happens: Callable[[], object]) -> None:
        super().__init__("\n" * 60)
        self._happens = happens

    def readline(self, size: int = -1, /) -> str:
        if not self.tell():
            self._happens()
        return super().readline(size)


def test_what_the_console_changes_while_questions_are_asked_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    init(tmp_path, ANSWERS, "--yes")
    before = written(tmp_path)
    monkeypatch.setattr("sys.stdin", Meanwhile(lambda: in_the_console(tmp_path)))

    file, place = f"--file={tmp_path}/clinic.toml", f"--database-url={url(tmp_path)}"
    ended = commands()(["clinic", "init", file, place], standalone_mode=False)

    assert "oak: was changed in the console meanwhile" in capsys.readouterr().err
    assert (ended, written(tmp_path)) == (2, before)
    assert '"£175"' in exported(tmp_path)


def test_another_country_brings_its_own_zone_and_numbers(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")

    init(tmp_path, 'country = "Ireland"', "--yes")

    clinic = written(tmp_path)
    assert (clinic.zone, clinic.emergency) == ("Europe/Dublin", "999 or 112")


def invitation(told: str) -> str:
    return told.partition("?start=staff_")[2].partition("\n")[0]


def joined(folder: Path, token: str) -> Member | None:
    return with_database(url(folder), lambda data: data.write(staff.join, token, 7, NOW))


def test_an_owner_who_never_opened_the_invitation_gets_another(tmp_path: Path) -> None:
    first = invitation(init(tmp_path, ANSWERS, "--yes").output)
    again = entered(tmp_path)

    assert "within a week; an earlier link of theirs has ended:" in again
    assert "invite Ada Oak to Telegram" not in again
    assert joined(tmp_path, first) is None
    assert joined(tmp_path, invitation(again)) is not None


def test_an_owner_who_joined_is_not_invited_again(tmp_path: Path) -> None:
    token = invitation(init(tmp_path, ANSWERS, "--yes").output)
    joined(tmp_path, token)

    assert "?start=staff_" not in entered(tmp_path)


def test_the_known_owner_is_offered_and_another_is_told_how(tmp_path: Path) -> None:
    init(tmp_path, ANSWERS, "--yes")

    assert "- for nobody yet [Ada Oak]" in entered(tmp_path)
    again = init(tmp_path, 'owner = "Zoe"', "--yes").output
    assert 'staff add "Zoe" --clinic oak --role owner' in again
    assert "?start=staff_" not in again
