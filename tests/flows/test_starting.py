from dataclasses import replace
from datetime import timedelta

import pytest

from flows.conversation import Overlay, Stage
from flows.effects import AllowMessages, ReleaseHold, StopMessages
from flows.events import (
    Action,
    Answered,
    AskedToStartOver,
    Repeated,
    Started,
    Stopped,
    Typed,
    WentBack,
)
from tests.flows.chat import NOW, Chat, a_clinic, a_scene


def two_clinics() -> Chat:
    return Chat(scene=a_scene(a_clinic(), a_clinic("harbour", name="Harbour Skin")))


def conversation(chat: Chat):
    assert chat.conversation is not None
    return chat.conversation


def under_way() -> Chat:
    return Chat().starts().does(Answered("consent", ("agree",)))


def test_a_deep_link_names_clinic_and_campaign():
    chat = two_clinics().starts("harbour-poster7")

    assert conversation(chat).clinic == "harbour"
    assert conversation(chat).campaign == "poster7"
    assert chat.state == "consent"


@pytest.mark.parametrize("payload", ["", "unknown", "unknown-poster"])
def test_without_a_known_link_the_patient_chooses_a_clinic(payload):
    chat = two_clinics().starts(payload)

    assert chat.state == Stage.CHOOSE_CLINIC
    assert chat.chooses(Action.CLINIC, "harbour").state == "consent"


def test_a_forged_clinic_is_stale():
    chat = two_clinics().starts("").chooses(Action.CLINIC, "nowhere")

    assert chat.state == Stage.CHOOSE_CLINIC
    assert chat.notes == ["note.stale"]


def test_a_single_clinic_is_not_asked_about():
    assert Chat().starts("").state == "consent"


def test_an_unknown_language_falls_back():
    chat = Chat().does(Started("", "Sam", "xx-YY"))

    assert conversation(chat).locale == "en"
    assert conversation(Chat().does(Started("", "Sam", "en-GB"))).locale == "en"


def test_without_english_any_catalogue_serves():
    scene = a_scene()
    only = replace(scene, catalogues={"pt": scene.catalogues["en"]})
    chat = Chat(scene=only).does(Started("", "Sam", "xx"))

    assert conversation(chat).locale == "pt"


@pytest.mark.parametrize("event", [Typed("hi"), Repeated(), Answered("age", ("22_plus",))])
def test_whoever_writes_before_start_is_answered_as_if_they_had(event):
    chat = Chat().does(event)

    assert chat.state == "consent"


def test_a_cry_for_help_as_the_first_words_is_heard():
    assert Chat().says("i want to kill myself").state == Stage.URGENT


def test_start_in_the_middle_offers_to_continue():
    chat = under_way().starts()

    assert conversation(chat).overlay is Overlay.RESUME
    assert chat.state == "age"


def test_continue_gives_the_place_back():
    chat = under_way().starts().chooses(Action.CONTINUE)

    assert chat.state == "age"
    assert conversation(chat).overlay is None


def test_back_leaves_the_overlay_too():
    chat = under_way().starts().does(WentBack())

    assert chat.state == "age"
    assert conversation(chat).overlay is None


def test_start_over_begins_a_new_run_without_answers():
    chat = under_way().starts().chooses(Action.START_OVER)

    assert chat.state == "consent"
    assert conversation(chat).answers == {}
    assert conversation(chat).run == 2


def test_the_revision_never_goes_back():
    chat = under_way()
    before = conversation(chat).revision

    chat.starts().chooses(Action.START_OVER)

    assert conversation(chat).revision == before + 2


def test_start_over_asks_first():
    chat = under_way().does(AskedToStartOver())

    assert conversation(chat).overlay is Overlay.START_OVER
    assert chat.says("no").state == "age"
    assert chat.does(AskedToStartOver()).says("yes").state == "consent"


def test_start_over_with_nothing_answered_just_begins():
    chat = Chat().starts().does(AskedToStartOver())

    assert chat.state == "consent"
    assert conversation(chat).overlay is None


def test_a_link_to_another_clinic_in_the_middle_leads_there_after_starting_over():
    chat = two_clinics().starts("willow").does(Answered("consent", ("agree",)))

    chat.starts("harbour").chooses(Action.START_OVER)

    assert conversation(chat).clinic == "harbour"


def test_a_link_to_another_clinic_before_any_answer_leads_there_at_once():
    chat = two_clinics().starts("willow").starts("harbour")

    assert conversation(chat).clinic == "harbour"


def test_starting_over_frees_held_times():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0")
    chat.does(AskedToStartOver()).chooses(Action.START_OVER)

    assert any(isinstance(effect, ReleaseHold) for effect in chat.effects)
    assert conversation(chat).booking.sessions == ()


def booked() -> Chat:
    chat = Chat().arrives_at(Stage.PLAN)
    return chat.chooses(Action.BOOK, "0").chooses(Action.REACH_HERE)


def test_booked_visits_are_never_lost_by_starting_again():
    chat = booked().does(AskedToStartOver())

    assert chat.notes == ["note.booked_already"]
    assert chat.starts().state == Stage.BOOKED


def test_stop_ends_the_messages_and_frees_held_times():
    chat = Chat().arrives_at(Stage.PLAN).chooses(Action.BOOK, "0").does(Stopped())

    assert chat.state == Stage.STOPPED
    assert StopMessages() in chat.effects
    assert conversation(chat).booking.sessions == ()


def test_stop_before_a_clinic_is_chosen_works_too():
    chat = two_clinics().starts("").does(Stopped())

    assert chat.state == Stage.STOPPED
    assert chat.chooses(Action.CONTINUE).state == Stage.CHOOSE_CLINIC


def test_a_patient_who_stopped_can_carry_on_where_they_were():
    chat = under_way().does(Stopped()).says("continue")

    assert chat.state == "age"
    assert AllowMessages() in chat.effects


def test_start_after_stop_offers_to_continue_and_gives_the_place_back():
    chat = under_way().does(Stopped()).starts()
    assert conversation(chat).overlay is Overlay.RESUME

    chat.chooses(Action.CONTINUE)

    assert chat.state == "age"
    assert AllowMessages() in chat.effects


def test_start_after_stop_can_start_over():
    chat = under_way().does(Stopped()).starts().chooses(Action.START_OVER)

    assert chat.state == "consent"
    assert AllowMessages() in chat.effects


def test_start_after_a_stop_with_no_answers_begins():
    chat = Chat().starts().does(Stopped()).starts()

    assert chat.state == "consent"
    assert AllowMessages() in chat.effects


def test_after_stop_a_booked_patient_comes_back_to_their_visits():
    chat = booked().does(Stopped()).chooses(Action.CONTINUE)

    assert chat.state == Stage.BOOKED


def test_continue_with_nothing_to_continue_changes_nothing():
    assert Chat().starts().chooses(Action.CONTINUE).state == "consent"


def test_start_on_the_urgent_screen_shows_it_again():
    chat = under_way().says("i want to die").starts()

    assert chat.state == Stage.URGENT


def test_a_run_whose_protocol_is_gone_begins_anew():
    chat = under_way()
    chat.conversation = replace(conversation(chat), protocol="microneedling/2020-01-01/0")

    chat.does(Repeated())

    assert chat.state == "consent"
    assert conversation(chat).run == 2


def test_a_run_whose_clinic_is_gone_begins_anew():
    chat = under_way()
    chat.conversation = replace(conversation(chat), clinic="closed")

    assert chat.does(Repeated()).state == "consent"


def returning(days: int, **given: str) -> Chat:
    chat = Chat().arrives_at(Stage.DEFERRED, **given)
    chat.scene = a_scene(now=NOW + timedelta(days=days))
    return chat.starts()


ACNE = {"acne_now": "inflamed", "acne_ill": "no", "acne_signs": "none", "acne_medicine": "no"}


def test_on_the_recheck_day_only_what_stood_in_the_way_is_asked_again():
    chat = returning(28, **ACNE)
    assert (chat.state, chat.notes) == ("acne_now", ["note.recheck"])

    chat.answers(acne_now="clear")

    assert chat.chooses(Action.CONFIRM).state == Stage.PLAN


def test_before_the_recheck_day_the_patient_may_continue_or_start_over():
    chat = returning(27, **ACNE)

    assert conversation(chat).overlay is Overlay.RESUME
    assert chat.chooses(Action.CONTINUE).state == Stage.DEFERRED


def test_a_detail_is_asked_again_with_the_list_it_came_from():
    assert returning(14, today="sun", sun="burn").state == "today"


def test_continue_after_the_recheck_day_asks_again_too():
    chat = Chat().arrives_at(Stage.DEFERRED, **ACNE).starts()
    chat.scene = a_scene(now=NOW + timedelta(days=40))

    assert chat.chooses(Action.CONTINUE).state == "acne_now"


@pytest.mark.parametrize("answered", [False, True])
def test_after_a_stop_and_a_red_flag_a_patient_who_is_back_is_written_to(answered):
    chat = Chat().starts()
    if answered:
        chat.answers()
    chat.does(Stopped()).says("I can't breathe")
    chat.scene = a_scene(now=NOW + timedelta(days=2))
    chat.starts()
    if answered:
        chat.chooses(Action.START_OVER)

    assert chat.effects[-1] == AllowMessages()
