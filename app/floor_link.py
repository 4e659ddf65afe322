"""The floor's way to the network: the sync engine, in the words and figures a floor page shows."""

from __future__ import annotations

from app.contract.problems import CATALOGUE
from app.counting.service import FloorService
from app.counting.state import Reach, SyncView
from app.i18n.words import Words
from app.screens.floor.desk import Defaults
from app.settings import ClientSettings
from app.store.device_store import DeviceStore
from app.sync.engine import SyncEngine
from app.sync.outcomes import Delivered, Refused, Trouble
from app.sync.status import SyncState, SyncStatus
from app.sync.transport import UnsafeAddressError

_REACH = {
    SyncState.UP_TO_DATE: Reach.ONLINE,
    SyncState.SENDING: Reach.ONLINE,
    SyncState.WAITING: Reach.ONLINE,
    SyncState.STORE_PROBLEM: Reach.UNKNOWN,
    SyncState.ENROL: Reach.REFUSED,
    SyncState.ENROL_ANEW: Reach.REFUSED,
    SyncState.UPDATE: Reach.REFUSED,
    SyncState.PORTAL: Reach.OFFLINE,
    SyncState.OFFLINE: Reach.OFFLINE,
    SyncState.TROUBLE: Reach.OFFLINE,
}
_PROBLEM = {
    SyncState.ENROL: "sync.refused",
    SyncState.ENROL_ANEW: "sync.refused",
    SyncState.UPDATE: "sync.too_old",
    SyncState.PORTAL: "sync.not_ours",
    SyncState.OFFLINE: "sync.offline",
    SyncState.TROUBLE: "sync.trouble",
    SyncState.STORE_PROBLEM: "sync.trouble",
}


class FloorLink:
    """Enrolment, sending now, and how sending goes."""

    def __init__(
        self,
        *,
        engine: SyncEngine,
        store: DeviceStore,
        service: FloorService,
        say: Words,
        settings: ClientSettings,
    ) -> None:
        self._engine = engine
        self._store = store
        self._service = service
        self._say = say
        self._is_started = False
        self.defaults = Defaults(
            server_url=settings.server_url,
            code=settings.enrol_code,
            device_name=settings.device_name,
        )

    def start(self) -> None:
        """Sync from now on; call it in the running loop, as often as pages are opened."""
        self._engine.start()
        if not self._is_started:
            self._is_started = True
            self._engine.subscribe(self._show)

    def _show(self, status: SyncStatus) -> None:
        known = self._store.enrolment()
        self._service.set_sync(sync_view(status, known.server_url if known else ""))

    async def enrol(self, url: str, code: str, device_name: str) -> str:
        """Enrol this device; "" when done, else the sentence that says what to do."""
        if not code:
            return self._say("enrol.needs_code")
        try:
            outcome = await self._engine.enrol(url, code, device_name)
        except UnsafeAddressError:
            return self._say("enrol.unsafe")
        except ValueError:
            return self._say("enrol.needs_server")
        if isinstance(outcome, Delivered):
            return ""
        if isinstance(outcome, Refused):
            title = CATALOGUE[outcome.code].title
            return self._say("enrol.refused", detail=f"{title}. {outcome.detail}")
        is_portal = outcome.trouble is Trouble.PORTAL
        return self._say("sync.not_ours" if is_portal else "enrol.no_server")

    async def send_now(self) -> None:
        """Try at once, and return when it was tried."""
        await self._engine.cycle()
        self._service.refresh()


def sync_view(status: SyncStatus, server_url: str) -> SyncView:
    """The engine's status as a floor page shows it."""
    return SyncView(
        reach=_REACH[status.state],
        unsent=status.unsent,
        held=status.held,
        oldest_ms=status.oldest_wall_ms,
        last_success_ms=status.last_success_wall_ms,
        next_try_s=-(-status.next_attempt_ms // 1000),
        problem=_PROBLEM.get(status.state, ""),
        code=status.detail or status.state.value,
        server_url=server_url,
        clock_off_ms=status.clock_ahead_ms,
        is_busy=status.state is SyncState.SENDING,
    )
