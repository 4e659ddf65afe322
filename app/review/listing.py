"""The list of cases: its rows, and which of them are marked for one decision. Pure, like the reducer."""

from __future__ import annotations

from dataclasses import replace

from app.contract.review import CaseDetail, CaseRow
from app.review.state import ENDED, ReviewState
from app.review.steps import AllMarked, ManyAnswered, MarkingChosen, MarkTurned

MARKED_MAX = 200
"""As many as the server decides about at once."""

MarkStep = MarkingChosen | MarkTurned | AllMarked | ManyAnswered


def with_case(state: ReviewState, case: CaseDetail) -> tuple[CaseRow, ...]:
    """The list with the row of this case as the case says it, and without it once it does not belong."""
    fresh = CaseRow.model_validate(case.model_dump())
    if (case.state in ENDED) is not state.filters.is_ended:
        return tuple(row for row in state.rows if row.case_id != case.case_id)
    return tuple(
        fresh if row.case_id == case.case_id and row.version <= case.version else row
        for row in state.rows
    )


def mark(state: ReviewState, step: MarkStep) -> ReviewState:
    """The state after something was marked, or after what was marked was decided."""
    match step:
        case MarkingChosen(is_marking):
            return replace(state, is_marking=is_marking, marked=frozenset(), refused={})
        case MarkTurned(case_id):
            marked = state.marked ^ {case_id}
            return replace(state, is_marking=True, marked=marked) if _fits(marked) else state
        case AllMarked():
            ids = [row.case_id for row in state.rows][:MARKED_MAX]
            return replace(state, is_marking=True, marked=frozenset(ids))
        case ManyAnswered():
            return _answered(state, step)


def _fits(marked: frozenset[str]) -> bool:
    return len(marked) <= MARKED_MAX


def _answered(state: ReviewState, step: ManyAnswered) -> ReviewState:
    """What is done loses its mark; what is not keeps it, with the rule that forbids it."""
    left = {result.case_id: result.message for result in step.results if not result.done}
    now = replace(state, marked=frozenset(left), refused=left)
    for result in step.results:
        if result.case is not None:
            now = replace(now, rows=with_case(now, result.case))
    gone = len(state.rows) - len(now.rows)
    return replace(now, total_open=max(0, now.total_open - gone), is_marking=bool(left))
