"""*Funnel*: how far people come, question by question, to a verdict, a visit and a whole course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from clinic.console import small_numbers, views
from clinic.console.bars import Bar, Chart, chart
from clinic.console.lead_words import Explainer
from clinic.standings import VERDICTS
from flows.passage import REVIEW
from storage import funnel, protocol_versions
from storage.funnel import NO_CAMPAIGN, Scope, Stages, StepCount

#: How far back one may look, in days; fixed, so that two looks differ by more than a few people.
PERIODS: Mapping[str, tuple[str, int]] = {
    "30": ("Last 30 days", 30),
    "90": ("Last 90 days", 90),
    "365": ("Last 12 months", 365),
    "all": ("From the beginning", 0),
}
_USUAL = "90"
_LONGEST = 80  # characters of a campaign's name


@dataclass(frozen=True, slots=True)
class Line:
    """One stage or question as a row of the table. Numbers are words: small ones are hidden."""

    name: str
    reached: str
    answered: str = ""
    left: str = ""
    left_share: str = ""
    went_back: str = ""
    changed: str = ""
    is_part: bool = False  # of the stage above it


class Funnel:
    """The page of a clinic's funnel."""

    def __init__(self) -> None:
        self._explainers: dict[str, Explainer] = {}

    def routes(self) -> list[Route]:
        """Return the page's address."""
        return [Route("/funnel", self.page)]

    async def page(self, request: Request) -> Response:
        """Show the stages and the questions of those who are asked for."""
        site, me = views.site_of(request), views.signed_in(request)
        period = request.query_params.get("period", "")
        period = period if period in PERIODS else _USUAL
        days, now = PERIODS[period][1], site.now()
        since = now - timedelta(days=days) if days else None
        choices = await site.database.read(funnel.choices, me.clinic_id, since)
        campaign = request.query_params.get("campaign", "")[:_LONGEST]
        campaign = campaign if campaign in (NO_CAMPAIGN, *choices.campaigns) else ""
        version = request.query_params.get("version", "")
        version = version if version in choices.protocols else next(iter(choices.protocols), "")
        everyone = Scope(me.clinic_id, since, campaign)
        stages = await site.database.read(funnel.stages, everyone)
        of_version = Scope(me.clinic_id, since, campaign, version)
        counts = await site.database.read(funnel.steps, of_version, now)
        source = await site.database.read(protocol_versions.load, version)
        explainer = self._explainer(request)
        ordered = in_order(counts, explainer.order(version, source))
        return views.render(
            request,
            "funnel.html",
            periods=PERIODS,
            period=period,
            campaigns=choices.campaigns,
            campaign=campaign,
            no_campaign=NO_CAMPAIGN,
            versions={key: _cited(key) for key in choices.protocols},
            version=version,
            is_enough=stages.started >= small_numbers.LEAST,
            stages=stage_lines(stages),
            stage_chart=stage_chart(stages),
            steps=[step_line(each, explainer) for each in ordered],
            step_chart=step_chart(ordered, explainer),
        )

    def _explainer(self, request: Request) -> Explainer:
        """Return the one of the clinic's language; staff read English where there is none."""
        catalogues, locale = views.site_of(request).catalogues, views.signed_in(request).locale
        words = catalogues.get(locale, catalogues["en"])
        return self._explainers.setdefault(words.locale, Explainer(words))


def in_order(counts: tuple[StepCount, ...], order: tuple[str, ...]) -> list[StepCount]:
    """Return the questions as they are asked; those of an unreadable version as they were met."""
    places = {step: place for place, step in enumerate((*order, REVIEW))} if order else {}
    return sorted(counts, key=lambda each: places.get(each.step, len(places)))


def stage_lines(stages: Stages) -> list[Line]:
    """Return the stages as rows, the verdicts apart."""
    return [
        Line(name, small_numbers.words(count), is_part=is_part)
        for name, count, is_part in _stages(stages)
    ]


def stage_chart(stages: Stages) -> Chart:
    """Return the stages as bars."""
    bars = [
        Bar(name, small_numbers.rounded(count), small_numbers.words(count), is_part=is_part)
        for name, count, is_part in _stages(stages)
    ]
    return chart(bars, most=small_numbers.rounded(stages.started))


def _stages(stages: Stages) -> list[tuple[str, int, bool]]:
    verdicts = [(words, stages.verdicts.get(code, 0), True) for code, words in VERDICTS.items()]
    return [
        ("Started", stages.started, False),
        ("Agreed to the questions", stages.agreed, False),
        *[(f"Verdict: {words.lower()}", count, is_part) for words, count, is_part in verdicts],
        ("Booked or asked for a time", stages.booked, False),
        ("Came", stages.came, False),
        ("Finished the course", stages.finished, False),
    ]


def step_line(count: StepCount, explainer: Explainer) -> Line:
    """Return one question as a row."""
    shown = small_numbers.words
    return Line(
        name=_question(count.step, explainer),
        reached=shown(count.reached),
        answered=shown(count.answered),
        left=shown(count.left),
        left_share=small_numbers.share(count.left, count.reached),
        went_back=shown(count.went_back),
        changed=shown(count.changed),
    )


def step_chart(counts: list[StepCount], explainer: Explainer) -> Chart:
    """Return the questions as bars: who came to it, and how many of them answered."""
    bars = [
        Bar(
            _question(each.step, explainer),
            small_numbers.rounded(each.reached),
            small_numbers.words(each.reached),
            inner=small_numbers.rounded(each.answered),
        )
        for each in counts
    ]
    return chart(bars, most=max((bar.length for bar in bars), default=0))


def _question(step: str, explainer: Explainer) -> str:
    return "Check of all answers" if step == REVIEW else explainer.question(step)


def _cited(key: str) -> str:
    return key.rpartition("/")[0].replace("/", ", ")
