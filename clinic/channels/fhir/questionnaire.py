"""The protocol's questions as a Questionnaire; `linkId` is the step's id."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from clinic.channels.fhir import codes
from clinic.channels.fhir.codes import Json
from clinic.channels.fhir.conditions import Demand, demands
from flows import relevance
from flows.protocol import Kind, Option, Protocol, Step
from flows.texts import Catalogue

#: Parts of a question that is answered by a day or by an option such as "not yet".
DAY, CHOICE = "on", "option"


def canonical(protocol: Protocol) -> str:
    """Return what a QuestionnaireResponse names: this exact version of the questions."""
    return f"{_url(protocol)}|{_version(protocol)}"


def questionnaire(
    protocol: Protocol, words: Catalogue, values: Mapping[str, str], publisher: str = ""
) -> Json:
    """Return the Questionnaire; `values` fill the placeholders of its texts (`flows.wording`)."""
    made: Json = {
        "resourceType": "Questionnaire",
        "id": protocol.id,
        "url": _url(protocol),
        "version": _version(protocol),
        "name": "".join(part.capitalize() for part in protocol.id.split("_")),
        "title": f"{protocol.id.replace('_', ' ').capitalize()} screening",
        "status": "active",
        "subjectType": ["Patient"],
        "date": protocol.version,
        "language": words.locale,
        "item": [_placed(_Form(protocol, words, values), step) for step in protocol.steps],
    }
    return {**made, "publisher": publisher} if publisher else made


def wrappers(step: Step) -> int:
    """Return how many groups stand around a question because of when it is asked."""
    return max(len(demands(step.ask_if)) - 1, 0)


def wrapper_id(step: Step, number: int) -> str:
    """Return the `linkId` of a group around a question, 1 for the outermost."""
    return f"{step.id}.when.{number}"


def option_codes(step: Step) -> tuple[Option, ...]:
    """Return the options that can be chosen; "wrote something" and "named a day" are no options."""
    return tuple(option for option in step.options if option.code != relevance.GIVEN)


class _Form:
    """What every item is made from."""

    def __init__(self, protocol: Protocol, words: Catalogue, values: Mapping[str, str]) -> None:
        self.protocol = protocol
        self.system = codes.rules(protocol.id)
        self._words = words
        self._values = values

    def text(self, key: str, otherwise: str) -> str:
        """Return a text of the catalogue; its code where it has no words any more."""
        if not self._words.has(key):
            return otherwise
        return codes.plain(self._words.text(key, **self._values))


def _url(protocol: Protocol) -> str:
    return f"{codes.ROOT}:questionnaire:{protocol.id}"


def _version(protocol: Protocol) -> str:
    return f"{protocol.version}-{protocol.digest[:12]}"


def _placed(form: _Form, step: Step) -> Json:
    """Return the item inside the groups that its conditions need."""
    wanted = demands(step.ask_if)
    item = _item(form, step)
    if wanted:
        item |= _enabled(form, wanted[-1])
    outer = list(enumerate(wanted[:-1], start=1))
    return reduce(lambda inner, each: _group(form, step, each, inner), reversed(outer), item)


def _group(form: _Form, step: Step, numbered: tuple[int, Demand], inner: Json) -> Json:
    number, demand = numbered
    around = {"linkId": wrapper_id(step, number), "type": "group", "item": [inner]}
    return {**around, **_enabled(form, demand)}


def _item(form: _Form, step: Step) -> Json:
    item: Json = {"linkId": step.id}
    if step.unless:
        item["extension"] = [
            {"url": codes.UNLESS, "valueCode": outcome.value} for outcome in sorted(step.unless)
        ]
    item["code"] = [codes.coding(form.system, step.id)]
    item["text"] = form.text(f"step.{step.id}.question", step.id)
    return item | _kind(form, step)


def _kind(form: _Form, step: Step) -> Json:
    options = {"answerOption": [_option(form, step, option) for option in option_codes(step)]}
    match step.kind:
        case Kind.CHOICE:
            return {"type": "choice", "required": not step.skippable, **options}
        case Kind.MULTI:
            return {"type": "choice", "required": not step.skippable, "repeats": True, **options}
        case Kind.TEXT:
            return {"type": "open-choice", "required": not step.skippable, **options}
        case Kind.DATE:
            parts: list[Json] = [{"linkId": f"{step.id}.{DAY}", "type": "date"}]
            if options["answerOption"]:
                parts.append({"linkId": f"{step.id}.{CHOICE}", "type": "choice", **options})
            return {"type": "group", "item": parts}


def _option(form: _Form, step: Step, option: Option) -> Json:
    rule = f"{step.id}.{option.code}"
    display = form.text(f"step.{rule}.label", option.code.replace("_", " "))
    made: Json = {"valueCoding": codes.coding(form.system, rule, display)}
    if option.exclusive:
        made["extension"] = [{"url": codes.EXCLUSIVE, "valueBoolean": True}]
    return made


def _enabled(form: _Form, demand: Demand) -> Json:
    conditions = [
        {
            "question": _answered(form, step),
            "operator": "=",
            "answerCoding": codes.coding(form.system, f"{step}.{code}"),
        }
        for step, code in sorted(demand)
    ]
    if len(conditions) == 1:
        return {"enableWhen": conditions}
    return {"enableWhen": conditions, "enableBehavior": "any"}


def _answered(form: _Form, step: str) -> str:
    """Return the `linkId` under which the options of a step are chosen."""
    return f"{step}.{CHOICE}" if form.protocol.step(step).kind is Kind.DATE else step
