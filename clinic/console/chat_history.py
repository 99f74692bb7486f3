"""What a patient did in the chat, as a lead's history tells it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from clinic.console.lead_words import Explainer
from flows.events import Action
from storage.lead_story import LeadStory

EVENTS: Mapping[str, str] = {
    "Started": "Opened the chat",
    "Answered": "Answered",
    "Ticked": "Ticked",
    "Typed": "Wrote something",
    "Corrected": "Edited a message",
    "Edited": "Changed an answer",
    "Chose": "Pressed",
    "AnsweredNudge": "Answered a message that came by itself",
    "AskedQuestion": "Asked a question",
    "AskedForPerson": "Asked for a person",
    "AskedHelp": "Asked for help",
    "AskedWhy": "Asked why",
    "AskedPrivacy": "Asked about privacy",
    "AskedToStartOver": "Wanted to start over",
    "SentMedia": "Sent",
    "SharedContact": "Shared a phone number",
    "WentBack": "Went back",
    "Skipped": "Skipped a question",
    "Stopped": "Wants no more messages",
    "Repeated": "Had the screen shown again",
}

#: What pressing each button of the screens beside the questions did.
PRESSES: Mapping[str, str] = {
    Action.CLINIC: "Chose the clinic",
    Action.CONTINUE: "Went on where they were",
    Action.START_OVER: "Started over",
    Action.CONFIRM: "Said that the answers are all correct",
    Action.BOOK: "Chose the proposed times",
    Action.BOOK_FIRST: "Chose only the first proposed time",
    Action.OTHER_TIMES: "Asked for other times",
    Action.WEEK: "Looked at another week",
    Action.DAY: "Looked at a day",
    Action.PART: "Looked at a part of a day",
    Action.TIME: "Chose a time",
    Action.REACH_HERE: "Wants to be reached in Telegram",
    Action.CHANGE: "Wanted to move a visit",
    Action.MOVE: "Chose which visit to move",
    Action.MEND: "Let the later visits move too",
    Action.CANCEL: "Was asked before cancelling",
    Action.CANCEL_ONE: "Chose which visit to cancel",
    Action.CANCEL_YES: "Said yes to cancelling",
    Action.KEEP: "Went back to their visits",
    Action.CALENDAR_FILE: "Took the calendar file",
    Action.PREPARE: "Read how to prepare",
    Action.AFTERCARE: "Read the after-care",
    Action.WHERE: "Asked for the address",
    Action.WAIT: "Wants to hear of an earlier time",
    Action.WAIT_NO_MORE: "Waits for no earlier time any more",
    Action.BOOK_REST: "Wanted times for the rest of the course",
    Action.LASER: "Read the comparison with a laser",
    Action.PHOTOS: "Read what photos are for",
    Action.PHOTOS_YES: "Agreed to photos",
    Action.PHOTOS_DELETE: "Deleted their photos",
    Action.ERASE: "Was asked before deleting their data",
    Action.ERASE_YES: "Deleted their data",
}


def told(story: LeadStory, explainer: Explainer) -> list[tuple[datetime, str]]:
    """Return (when, words) of what the patient did; answers stand elsewhere."""
    lines = []
    for each in story.events:
        words = EVENTS.get(each.event, "Did something")
        if each.event in ("Answered", "Ticked", "Edited"):
            words = f"{words}: {explainer.question(each.step)}"
        elif each.event == "Chose":
            words = PRESSES.get(each.step, words)
        elif each.event == "AskedQuestion":
            words = f"{words}: {each.step.replace('_', ' ')}"
        elif each.event == "SentMedia":
            words = f"{words} a {' '.join(each.codes) or 'file'}"
        lines.append((each.at, words))
    return lines
