"""Leads in the console: found, read, worked on; every look recorded, no other clinic let in."""

from __future__ import annotations

import html
import json
import re
from datetime import timedelta
from typing import Any

import httpx
import pytest

from clinic.console.chat_history import PRESSES
from clinic.console.sessions import SEARCHES_COOKIE as SEARCHES
from flows.conversation import Answer
from flows.effects import DescribeResult, HandOffLead, LeadKind, MessageToClinic, ReviewSeries
from flows.eligibility import Reason, Score, ScorePart, Verdict
from flows.events import Action
from flows.plan import propose
from flows.protocol import Outcome, Severity
from storage import audit, lead_channels, protocol_files, protocol_versions, turns
from storage.lead_channels import NewChannel
from storage.protocol_versions import ProtocolText
from tests.builders import a_conversation, a_decision, a_slot, a_turn, four_weekly
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.chat import catalogues, protocol


async def a_review(world: ConsoleWorld, chat_id: int = 50, name: str = "Björn") -> None:
    """Let somebody of 18 come to a clinician's eye, with a message to the clinic."""
    text = (protocol_files.resources.files("flows") / "protocols" / "microneedling.toml").read_text(
        encoding="utf-8"
    )
    known, now = protocol(), world.clock()
    source = ProtocolText(text, "")
    await world.database.write(protocol_versions.remember, known.key, known.digest, source, now)
    reason = Reason("age.18_21", Severity.REVIEW, ("S10",), "R")
    score = Score(70, (ScorePart("fit", 30, 30, "scar_type.rolling"),))
    decision = a_decision(Outcome.REVIEW)
    decided = type(decision)(Verdict(Outcome.REVIEW, (reason,), grade=2), score, None)
    conversation = a_conversation(
        chat_id,
        protocol=known.key,
        first_name=name,
        answers={"age": Answer(("18_21",)), "scar_type": Answer(("rolling",))},
        decided_on=now.date(),
    )
    effects = (decided, HandOffLead(LeadKind.REVIEW, 70), MessageToClinic("<b>Hello</b> there?"))
    turn = a_turn(*effects, conversation=conversation, now=now)
    assert await world.database.write(turns.commit, turn) == turns.Committed()


async def lead_path(browser: Browser) -> str:
    """Return the path of the first lead of the list."""
    found = re.search(r'href="(/leads/\d+)"', (await browser.get("/leads")).text)
    assert found
    return found.group(1)


async def test_days_of_another_year_say_which_one(world: ConsoleWorld, member: Browser) -> None:
    at = world.clock().replace(month=12, day=15, hour=14, minute=0)
    await world.books(*four_weekly(a_slot(at), 2), name="Maya")

    story, inbox = (
        (await member.get(await lead_path(member))).text,
        (await member.get("/leads")).text,
    )

    assert ">Tue 15 Dec, 14:00</time>" in story
    assert ">Tue 12 Jan 2027, 14:00</time>" in story
    assert ">Tue 15 Dec, 14:00</time>" in inbox


async def test_the_inbox_shows_finds_and_filters(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)
    await world.books(*four_weekly(a_slot(world.clock(), practitioner="amara"), 2), name="Maya")

    everyone = (await member.get("/leads")).text
    assert ("Maya" in everyone, "Björn" in everyone) == (True, True)
    wanted = (
        ({"text": "maya"}, "Maya"),
        ({"verdict": "review"}, "Björn"),
        ({"text": "ab12"}, "Maya"),
    )
    for fields, found in wanted:
        page = (await searched(member, **fields)).text
        assert shown(page) == [found]


async def test_a_line_says_once_that_a_verdict_is_to_be_looked_at_and_whether_it_was(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    line = (await member.get("/leads")).text.partition("<tbody>")[2]
    assert (line.count("To review"), line.count("Reviewed")) == (1, 0)
    assert '<td data-label="Next visit"><span class="soft">Not booked</span>' in line

    judged = {"finding": "agree", "decision": "1"}
    await member.post(f"{await lead_path(member)}/finding", judged)

    line = (await member.get("/leads")).text.partition("<tbody>")[2]
    assert (line.count("To review"), line.count("Reviewed")) == (0, 1)


async def test_what_is_searched_for_stands_in_no_address(
    world: ConsoleWorld, member: Browser
) -> None:
    for number in range(27):
        await world.books(a_slot(world.clock() + timedelta(hours=2 * number)), name="Maya")
    page = await searched(member, text=" Maya ", status="new", order="newest")

    addresses = [str(page.url), *re.findall(r'(?:href|action)="([^"]*)"', page.text)]
    assert not [address for address in addresses if "maya" in address.lower()]
    assert "Searching for “Maya”" in page.text
    assert 'name="text" value="Maya"' in page.text
    assert "Maya" not in member.cookies[SEARCHES]
    kept = [address for address in addresses if "search=" in address and "status=new" in address]
    assert all("order=newest" in address for address in kept)
    assert [page for page in kept if "page=2" in page]  # the pager
    (clear,) = re.findall(r'href="([^"]*)" aria-label="Clear the search"', page.text)
    assert "Searching" not in (await member.get(html.unescape(clear))).text


async def test_each_search_keeps_its_address_until_it_is_long_ago(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    await world.books(a_slot(world.clock()), name="Maya")
    first = str((await searched(member, text="maya")).url)
    second = str((await searched(member, text="björn")).url)

    for address, found in ((first, ["Maya"]), (second, ["Björn"])):
        assert shown((await member.get(address, x_live="1")).text) == found
    assert str((await searched(member, text="maya")).url) == first
    for number in range(5):
        await searched(member, text=f"{number}" * 200)
    assert len(shown((await member.get(first)).text)) == 2
    assert len(member.cookies[SEARCHES]) < 4000


async def test_a_search_is_read_by_its_own_session_alone(
    world: ConsoleWorld, member: Browser, owner: Browser
) -> None:
    address = str((await searched(member, text="maya")).url)
    owner.cookies[SEARCHES] = member.cookies[SEARCHES]

    assert "Searching" not in (await owner.get(address)).text
    member.cookies[SEARCHES] = "forged"
    assert "Searching" not in (await member.get(address)).text


async def test_an_empty_search_shows_everyone(member: Browser) -> None:
    answer = await member.post("/leads/search", {"text": " ", "band": "high"})

    assert answer.headers["location"] == "/leads?band=high"
    assert SEARCHES not in member.cookies


async def searched(browser: Browser, **fields: str) -> httpx.Response:
    """Send the form of the inbox."""
    return await browser.follows(await browser.post("/leads/search", fields))


def shown(page: str) -> list[str]:
    return [name for name in ("Maya", "Björn") if f"<strong>{name}</strong>" in page]


@pytest.mark.parametrize(
    "query", ["status=nothing", "order=x", "page=-1", "page=9999999999999", "search=x", "band=%00"]
)
async def test_filters_that_do_not_exist_are_not_asked_for(member: Browser, query: str) -> None:
    assert (await member.get(f"/leads?{query}")).status_code in (200, 400)


async def test_a_story_tells_answers_reasons_sources_and_points(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    page = (await member.get(await lead_path(member))).text

    assert "so a clinician will decide with you" in page
    assert "Minutilli, J Drugs Dermatol 2024" in page
    assert "18 to 21" in page
    assert "30 of 30" in page
    assert "scar grade 2" in page


async def test_what_patients_write_cannot_become_markup(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world, name="<i>Eve</i>")
    page = (await member.get(await lead_path(member))).text

    assert "&lt;b&gt;Hello&lt;/b&gt; there?" in page
    assert "<i>Eve</i>" not in page


async def test_a_plan_is_drawn_with_what_is_booked_of_it(
    world: ConsoleWorld, member: Browser
) -> None:
    clear = {"scar_type": Answer(("rolling",)), "visibility": Answer(("flattens",))}
    verdict = Verdict(Outcome.ELIGIBLE, (), grade=3)
    plan = propose(protocol(), clear, verdict, world.clock().date())
    assert plan is not None
    decision = type(a_decision())(verdict, Score(80, ()), plan)
    conversation = a_conversation(51, first_name="Maya", protocol=protocol().key)
    turn = a_turn(
        decision, HandOffLead(LeadKind.ELIGIBLE, 80), conversation=conversation, now=world.clock()
    )
    await world.database.write(turns.commit, turn)

    page = (await member.get(await lead_path(member))).text
    assert page.count('class="stop"') == 2 * plan.sessions
    assert 'class="stop booked"' not in page


async def test_a_lead_is_accepted_once_and_the_slower_one_is_told(
    world: ConsoleWorld, owner: Browser, member: Browser
) -> None:
    await a_review(world)
    path = await lead_path(owner)
    await member.get(path)
    fields = {"expected": "new", "wanted": "accepted"}
    first = await owner.follows(await owner.post(f"{path}/status", fields))
    second = await member.follows(await member.post(f"{path}/status", fields))

    assert "Accepted by Amara Osei" in first.text
    assert "Somebody was faster" in second.text


async def test_declining_asks_why(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)
    path = await lead_path(member)
    fields = {"expected": "new", "wanted": "declined"}
    without = await member.follows(await member.post(f"{path}/status", fields))
    given = await member.post(f"{path}/status", {**fields, "why": "not_reached"})

    assert "Please choose why." in without.text
    assert "Could not be reached" in (await member.follows(given)).text


def test_every_button_has_words_for_the_history() -> None:
    assert set(PRESSES) == set(Action)


async def test_the_history_tells_what_a_patient_did_in_plain_words(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    did = (
        {"event": "Chose", "action": Action.CONFIRM},
        {"event": "Repeated"},
    )
    log = tuple(json.dumps(each) for each in did)
    again = a_turn(before=0, conversation=a_conversation(50), event_log=log, now=world.clock())
    assert await world.database.write(turns.commit, again) == turns.Committed()

    page = (await member.get(await lead_path(member))).text

    assert "<span>Said that the answers are all correct</span>" in page
    assert "<span>Had the screen shown again</span>" in page
    assert "Pressed" not in page


async def test_a_lead_tells_how_the_patient_sees_the_result(
    world: ConsoleWorld, member: Browser
) -> None:
    await world.books(a_slot(world.clock(), practitioner="amara"), name="Maya")
    path = await lead_path(member)
    before = (await member.get(path)).text
    said = (ReviewSeries("series1", 4), DescribeResult("series1", "Softer, <i>mostly</i>."))
    conversation = a_conversation(101, first_name="Maya", rated="series1", described="series1")
    turn = a_turn(*said, before=0, conversation=conversation, now=world.clock())
    assert await world.database.write(turns.commit, turn) == turns.Committed()
    page = (await member.get(path)).text
    exported = json.loads((await member.get(f"{path}/export.json")).text)

    assert "How they see the result" not in before
    assert "<strong>4 of 5</strong>" in page
    assert "Softer, &lt;i&gt;mostly&lt;/i&gt;." in page
    assert [(each["rating"], each["words"]) for each in exported["results"]] == [
        (4, "Softer, <i>mostly</i>.")
    ]


async def test_a_note_and_a_finding_are_kept(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)
    path = await lead_path(member)
    assert "Björn" in (await member.get("/reviews")).text
    await member.post(f"{path}/note", {"body": "Called, no answer."})
    fields = {"finding": "too_cautious", "reason": "Turns 22 next week.", "decision": "1"}
    await member.post(f"{path}/finding", fields)

    page = (await member.get(path)).text
    assert "Called, no answer." in page
    assert "Turns 22 next week." in page
    assert "Björn" not in (await member.get("/reviews")).text


async def test_every_look_and_export_is_recorded(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)
    path = await lead_path(member)
    await member.get(path)
    await member.get(f"{path}/export.json")

    lines = await world.database.read(audit.entries, world.people["willow", "staff"].clinic_id)
    assert [(line.staff, line.what) for line in lines if line.subject == "lead"] == [
        ("Joe Penhale", "lead.exported"),
        ("Joe Penhale", "lead.viewed"),
    ]


async def test_a_lead_says_who_was_told_of_it(world: ConsoleWorld, member: Browser) -> None:
    hook = NewChannel("webhook", "https://hooks.example.org/leads", "sealed")
    await world.database.write(lead_channels.add, 1, hook, world.clock())
    await a_review(world)

    page = (await member.get(await lead_path(member))).text

    assert "Who was told (1)" in page
    assert "<strong>A patient needs a clinician's look</strong>" in html.unescape(page)
    assert "lead.review" not in page
    assert "https://hooks.example.org/leads" in page


async def test_an_export_holds_the_whole_lead(world: ConsoleWorld, member: Browser) -> None:
    await a_review(world)
    answer = await member.get(f"{await lead_path(member)}/export.json")
    body: dict[str, Any] = json.loads(answer.text)

    assert "attachment" in answer.headers["content-disposition"]
    assert body["decision"]["answers"]["age"]["codes"] == ["18_21"]
    assert (body["patient"]["first_name"], body["messages"][0]["from"]) == ("Björn", "patient")


async def test_another_clinic_finds_the_same_nothing_everywhere(
    world: ConsoleWorld, member: Browser
) -> None:
    await a_review(world)
    path = await lead_path(member)
    stranger = await world.signed_in_client("owner", "harbour")
    nowhere = await stranger.get("/leads/99999")

    assert "Björn" not in (await stranger.get("/leads")).text
    for gone in (path, f"{path}/export.json"):
        answer = await stranger.get(gone)
        assert answer.status_code == 404
        assert re.sub(r"nonce[^>]*", "", answer.text) == re.sub(r"nonce[^>]*", "", nowhere.text)


def test_the_catalogue_has_words_for_every_verdict_of_the_shipped_protocol() -> None:
    words = catalogues()["en"]
    rules = [
        f"step.{step.id}.{option.code}.reason"
        for step in protocol().steps
        for option in step.options
        if option.severity
    ]

    assert [key for key in rules if not words.has(key)] == []
