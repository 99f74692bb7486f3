"""When a question is asked, turned from the protocol's form into what FHIR's `enableWhen` can say.

The protocol has alternatives of which each wants several answers (or over and). `enableWhen` joins
its conditions by `any` or by `all`; groups around an item add another `all`. So the alternatives
are turned into demands that must all hold, each a list of answers of which any will do.
"""

from __future__ import annotations

from itertools import product

from flows.protocol import AskIf

#: Any of these answers will do: (step, option).
Demand = frozenset[tuple[str, str]]


def demands(condition: AskIf) -> tuple[Demand, ...]:
    """Return the demands that must all hold, the fewest that say the same; none: always asked."""
    alternatives = [
        [frozenset((step, code) for code in codes) for step, codes in clause.items()]
        for clause in condition
    ]
    if not alternatives or not all(alternatives):
        return ()
    joined = {frozenset[tuple[str, str]]().union(*choice) for choice in product(*alternatives)}
    least = [demand for demand in joined if not any(other < demand for other in joined)]
    return tuple(sorted(least, key=sorted))
