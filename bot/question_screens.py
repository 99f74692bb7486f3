"""The screens of the questions: asking, ticking, receipts and the review of all answers."""

from __future__ import annotations

from bot.markup import Button, Rows, Screen, label, paired
from bot.page import Page
from flows import relevance
from flows.conversation import Answer
from flows.events import (
    Action,
    Answered,
    AskedHelp,
    AskedWhy,
    Chose,
    Edited,
    Skipped,
    Ticked,
    WentBack,
)
from flows.protocol import Kind, Option, Step

TICKED, UNTICKED = "☑ ", "☐ "


def question(page: Page, step: Step, *, again: bool = False) -> Screen:
    """Ask one question; `again`: in a few words, as it stands right above already."""
    paragraphs = [
        _progress(page, step),
        page.say(f"step.{step.id}.{'again' if again else 'question'}"),
        _so_far(page, step),
        _how(page, step),
    ]
    rows = (
        *_suggestion(page, step),
        *_answers(page, step),
        *_beside(page, step),
        _ways(page, step),
    )
    html = "\n\n".join(part for part in paragraphs if part)
    return Screen(html, rows, picture=step.picture)


def is_long(page: Page) -> bool:
    """Say whether the question on the screen has few words to be asked again with."""
    return page.step is not None and page.has(f"step.{page.step.id}.again")


def receipt(page: Page, step_id: str) -> str:
    """Return the one line that an answered question becomes."""
    return page.say(
        "screen.receipt.line",
        short=page.catalogue.text(f"step.{step_id}.short"),
        answer=answer_words(page, step_id),
    )


def review(page: Page) -> Screen:
    """List every answer that counts, each with a way to change it."""
    steps = [
        step.id
        for step in relevance.relevant_steps(page.protocol, page.conversation.answers)
        if step.id in page.conversation.answers and step.group != "consent"
    ]
    lines = "\n".join(receipt(page, step) for step in steps)
    html = "\n\n".join((page.say("screen.review.title"), lines, page.say("screen.review.next")))
    changes = [
        page.button("edit", Edited(step), short=page.catalogue.text(f"step.{step}.short"))
        for step in steps
    ]
    rows = tuple(tuple(changes[at : at + 2]) for at in range(0, len(changes), 2))
    confirm = page.button("confirm", Chose(Action.CONFIRM))
    return Screen(html, (*rows, (confirm,), back_and_help(page)))


def back_and_help(page: Page) -> tuple[Button, ...]:
    """Return the row that stands under every screen with something to go back to."""
    return page.button("back", WentBack()), page.button("help", AskedHelp())


def answer_words(page: Page, step_id: str) -> str:
    """Return what the patient answered at a step, as plain words."""
    answer = page.conversation.answers.get(step_id, Answer())
    words = [page.label_of(step_id, code) for code in answer.codes]
    if answer.on is not None:
        words.append(page.day(answer.on))
    if answer.text:
        words.append(answer.text)
    return "; ".join(words) or page.catalogue.text("screen.receipt.skipped")


def _progress(page: Page, step: Step) -> str:
    if step.group == "consent":
        return ""
    number, total = relevance.progress(page.protocol, page.conversation.answers, step.id)
    # Consent is asked, but it is no question about the patient.
    asked = sum(1 for each in page.protocol.steps if each.group == "consent")
    return page.say("screen.question.progress", number=number - asked, total=total - asked)


def _so_far(page: Page, step: Step) -> str:
    if step.id not in page.conversation.answers:
        return ""
    return page.say("screen.question.answered", answer=answer_words(page, step.id))


def _how(page: Page, step: Step) -> str:
    """Say how to answer, where the buttons alone do not."""
    if step.quick and page.conversation.ticking:  # other lists say so in the question
        return page.say("screen.question.several")
    if step.kind is Kind.TEXT:
        return page.say(f"step.{step.id}.example")
    return ""


def _suggestion(page: Page, step: Step) -> Rows:
    code = page.conversation.suggested
    if not code or code not in {option.code for option in step.options}:
        return ()
    words = page.label_of(step.id, code)
    return ((page.button("did_you_mean", Answered(step.id, (code,)), label=words),),)


def _answers(page: Page, step: Step) -> Rows:
    if step.kind is Kind.MULTI and _is_ticking(page, step):
        return _ticks(page, step)
    # Own words and dates are typed; the option that stands for them is no button.
    buttons = [_answer(page, step, o) for o in step.options if o.code != relevance.GIVEN]
    if step.kind is Kind.MULTI:
        buttons.append(page.button("several", Ticked(step.id, "")))
    return paired(buttons)


def _answer(page: Page, step: Step, option: Option) -> Button:
    return Button(label(page.label_of(step.id, option.code)), Answered(step.id, (option.code,)))


def _ticks(page: Page, step: Step) -> Rows:
    ticked = page.conversation.ticks
    several = [
        Button(
            label((TICKED if option.code in ticked else UNTICKED) + words),
            Ticked(step.id, option.code),
        )
        for option in step.options
        if not option.exclusive and (words := page.label_of(step.id, option.code))
    ]
    count = sum(1 for code in ticked if not step.option(code).exclusive)
    rows: list[tuple[Button, ...]] = [(button,) for button in several]
    if count:
        rows.append((page.button("done", Answered(step.id, ()), count=count),))
    rows += [(_answer(page, step, option),) for option in step.options if option.exclusive]
    return tuple(rows)


def _beside(page: Page, step: Step) -> Rows:
    """Return the ways past the question: keep the answer there is, or give none."""
    buttons = []
    if step.id in page.conversation.answers:
        buttons.append(page.button("keep_answer", Chose(Action.KEEP)))
    if step.skippable:
        buttons.append(page.button("private" if step.sensitive else "skip", Skipped()))
    rows = paired(buttons)
    link = page.clinic.privacy_url if page.clinic else ""
    if step.group == "consent" and link.startswith("https://"):
        words = page.catalogue.text("button.privacy_link")
        rows = (*rows, (Button(label(words), url=link),))
    return rows


def _ways(page: Page, step: Step) -> tuple[Button, ...]:
    answers = page.position.answers
    back = relevance.previous_step(page.protocol, answers, step.id) is not None
    buttons = [page.button("back", WentBack())] if back else []
    return (
        *buttons,
        page.button("why", AskedWhy()),
        page.button("help", AskedHelp()),
    )


def _is_ticking(page: Page, step: Step) -> bool:
    return not step.quick or page.conversation.ticking
