"""One decision about many cases: each by itself, but looked up, judged again and committed together.

A refusal undoes only its own case. What is settled in a bin or for a SKU is judged before the next case
of that bin or SKU is decided, as if each decision had been made alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.contract.problems import RefusalError
from app.contract.review import Action, BulkDecision, BulkResult, Decision, DecisionResult
from server.clock import Rim
from server.domain.people import Person
from server.services.casework import decide_only, judge_again
from server.services.desk import Desk
from server.services.lookahead import LookAhead
from server.storage import cases as case_rows
from server.storage.case_rounds import rounds_by_case
from server.storage.casework_lock import lock_for_casework
from server.storage.engine import Database
from server.storage.tables_casework import ExceptionCaseRow

AT_ONCE = 100
"""Cases of one transaction: it holds the writer for as long as they take."""
Results = dict[str, DecisionResult]


def decide_in_bulk(
    database: Database, site_id: str, bulk: BulkDecision, person: Person, *, rim: Rim
) -> BulkResult:
    """The same decision about many cases: one refusal never stops the others.

    Answers in the order asked, without the cases' pages.
    """
    wanted = list(dict.fromkeys(bulk.case_ids))
    results: Results = {}
    for start in range(0, len(wanted), AT_ONCE):
        with database.write() as session:
            lock_for_casework(session, site_id, posts=True)
            desk = Desk(session, site_id, rim.now(), rim.new_id)
            results |= _decide(desk, wanted[start : start + AT_ONCE], bulk.decision, person)
            session.commit()
    return BulkResult(results=tuple(results[case_id] for case_id in wanted))


def _decide(desk: Desk, case_ids: Sequence[str], decision: Decision, person: Person) -> Results:
    found = case_rows.lock_cases(desk.session, desk.site_id, case_ids)
    results = {
        case_id: _refused(decision, case_id, RefusalError("not-found", what="case", id=case_id))
        for case_id in case_ids
        if case_id not in found
    }
    cases = [found[case_id] for case_id in case_ids if case_id in found]
    for apart in _apart(cases, decision):
        desk.ahead = _look_ahead(desk, apart)
        settled: list[ExceptionCaseRow] = []
        for case_id in [case.case_id for case in apart]:
            try:
                with desk.session.begin_nested():
                    results[case_id], again = decide_only(desk, case_id, decision, person)
                    settled += again
            except RefusalError as refusal:
                results[case_id] = _refused(decision, case_id, refusal)
        desk.ahead = None
        judge_again(desk, settled)
    return results


def _refused(decision: Decision, case_id: str, refusal: RefusalError) -> DecisionResult:
    return DecisionResult(
        decision_id=decision.decision_id,
        case_id=case_id,
        done=False,
        problem=refusal.code,
        message=refusal.detail,
    )


def _apart(
    cases: Sequence[ExceptionCaseRow], decision: Decision
) -> Iterator[list[ExceptionCaseRow]]:
    """Cases in groups in which no two share a bin or a SKU, so that none bears on another.

    A transfer settles a case of another bin as well: it is always alone.
    """
    left = list(cases)
    while left:
        group: list[ExceptionCaseRow] = []
        others: list[ExceptionCaseRow] = []
        taken: set[tuple[str, str]] = set()
        for case in left:
            about = {(kind, name) for kind, name in (("bin", case.bin), ("sku", case.sku)) if name}
            if about & taken or (group and decision.action is Action.TRANSFER):
                others.append(case)
            else:
                group.append(case)
                taken |= about
        yield group
        left = others


def _look_ahead(desk: Desk, cases: Sequence[ExceptionCaseRow]) -> LookAhead:
    """What deciding these cases will ask, asked once. None of them changes it for another."""
    ahead = LookAhead()
    ids = [case.case_id for case in cases]
    rounds = rounds_by_case(desk.session, desk.site_id, ids)
    ahead.rounds = {case_id: rounds.get(case_id, []) for case_id in ids}
    used = sorted({each.count_id for found in rounds.values() for each in found})
    desk.load_counts(used)
    desk.load_lines(used)
    desk.load_bins(case.bin for case in cases if case.bin)
    skus = {case.sku for case in cases if case.sku}
    desk.load_skus(skus)
    desk.load_factors(skus)
    ahead.load(desk.session, desk.site_id, skus, {})
    return ahead
