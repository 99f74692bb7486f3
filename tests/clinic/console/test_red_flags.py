"""A red flag on the lead: which one it is, what raises it, and how to reach the patient."""

from __future__ import annotations

import pytest

from clinic.console.lead_words import RED_FLAGS
from flows.conversation import Stage
from flows.effects import HandOffLead, LeadKind
from storage import turns
from tests.builders import a_conversation, a_decision, a_turn
from tests.clinic.console.test_leads import lead_path
from tests.clinic.console.world import Browser, ConsoleWorld
from tests.flows.chat import protocol


async def raises(world: ConsoleWorld, flag: str | None, *before: object) -> None:
    """Let Ida write words of a red flag, perhaps after a verdict."""
    conversation = a_conversation(
        60, first_name="Ida", state=Stage.URGENT.value, red_flag=flag, protocol=protocol().key
    )
    effects = (*before, HandOffLead(LeadKind.URGENT, None))
    turn = a_turn(*effects, conversation=conversation, now=world.clock())
    assert await world.database.write(turns.commit, turn) == turns.Committed()


async def test_a_lead_says_which_red_flag_it_is_and_what_raises_it(
    world: ConsoleWorld, member: Browser
) -> None:
    await raises(world, "spreading_infection")

    page = (await member.get(await lead_path(member))).text

    assert "A fever with skin that is red, swollen or spreading." in page
    assert "One of: fever, feverish" in page
    assert "together with one of: spreading," in page
    assert "They gave no phone number: please write to them." in page
    assert "Write to them</button>" in page


async def test_a_red_flag_is_told_beside_an_earlier_verdict(
    world: ConsoleWorld, member: Browser
) -> None:
    await raises(world, "self_harm", a_decision())

    page = (await member.get(await lead_path(member))).text

    assert "They may want to harm themselves." in page
    assert page.index(">Red flag</h2>") < page.index(">Verdict ")


async def test_a_red_flag_of_an_earlier_run_is_told_without_its_kind(
    world: ConsoleWorld, member: Browser
) -> None:
    await raises(world, None)

    page = (await member.get(await lead_path(member))).text

    assert "They wrote words that may mean an emergency" in page
    assert "Which words raise this" not in page


@pytest.mark.parametrize("flag", [flag.id for flag in protocol().red_flags])
def test_every_red_flag_of_the_shipped_protocol_has_a_name(flag: str) -> None:
    assert flag in RED_FLAGS
