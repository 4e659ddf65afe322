"""The floor's way to the network: the sync engine, in the words and figures a floor page shows."""

from __future__ import annotations

from app.contract.rescue import RescueExport
from app.contract.wire import EnrolReply
from app.counting.service import FloorService
from app.counting.state import Reach, SyncView
from app.i18n.words import Words
from app.scanner.profile import profile_text, read_profile
from app.scanner.wedge import WedgeProfile
from app.screens.floor.desk import Defaults
from app.settings import ClientSettings
from app.store.device_store import DeviceStore
from app.store.errors import StoreError
from app.sync.engine import SyncEngine
from app.sync.outcomes import Delivered, Outcome, Refused, Trouble
from app.sync.status import SyncState, SyncStatus
from app.sync.transport import UnsafeAddressError

PROFILE = "scanner.profile"
"""The setting that keeps how the hardware scanner frames its scans."""

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
_PROBLEMS = frozenset(
    {
        SyncState.ENROL,
        SyncState.ENROL_ANEW,
        SyncState.UPDATE,
        SyncState.PORTAL,
        SyncState.OFFLINE,
        SyncState.TROUBLE,
        SyncState.STORE_PROBLEM,
    }
)


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
        self._profile = read_profile(store.setting(PROFILE))
        self._salvaged = engine.status.salvaged
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
        if status.salvaged != self._salvaged:
            self._salvaged = status.salvaged
            self._service.start_anew()
        known = self._store.enrolment()
        self._service.set_sync(sync_view(status, known.server_url if known else ""))

    async def enrol(self, url: str, code: str, device_name: str) -> str:
        """Enrol this device; "" when done, else the sentence that says what to do."""
        if not code:
            return self._say("enrol.needs_code")
        try:
            outcome = await self._engine.enrol(url, code, device_name)
        except (UnsafeAddressError, StoreError) as error:
            return self._say(error.words)
        except ValueError:
            return self._say("enrol.needs_server")
        return enrol_words(self._say, outcome)

    def rescue(self) -> RescueExport:
        """All that the server lacks, as a file to take off the device. Reads the disk."""
        return self._store.rescue_export()

    @property
    def profile(self) -> WedgeProfile:
        """How this device's hardware scanner frames its scans."""
        return self._profile

    def keep_profile(self, profile: WedgeProfile) -> str:
        """Use it from now on, also after a restart; "" when done, else the sentence to show."""
        try:
            self._store.set_setting(PROFILE, profile_text(profile))
        except StoreError as error:
            return self._say(error.words)
        self._profile = profile
        return ""

    async def send_now(self) -> None:
        """Try at once, and return when it was tried."""
        await self._engine.cycle()
        self._service.refresh()


def enrol_words(say: Words, outcome: Outcome[EnrolReply]) -> str:
    """What became of an enrolment, as a sentence; "" when it was done."""
    if isinstance(outcome, Delivered):
        return ""
    if isinstance(outcome, Refused):
        known = f"enrol.refused_{outcome.code.replace('-', '_')}"
        return say(known) if say.has(known) else say("enrol.refused", code=outcome.code)
    return say("sync.portal" if outcome.trouble is Trouble.PORTAL else "enrol.no_server")


def sync_view(status: SyncStatus, server_url: str) -> SyncView:
    """The engine's status as a floor page shows it."""
    has_problem = status.state in _PROBLEMS
    reach = _REACH[status.state]
    if reach is Reach.ONLINE and status.last_success_wall_ms is None:
        reach = Reach.UNKNOWN
    return SyncView(
        reach=reach,
        unsent=status.unsent,
        held=status.held,
        oldest_ms=status.oldest_wall_ms,
        last_success_ms=status.last_success_wall_ms,
        # Rounded up to ten: a figure that changes each second would draw the screen each second.
        next_try_s=-(-status.next_attempt_ms // 10_000) * 10 if has_problem else None,
        problem=status.words if has_problem else "",
        code=status.detail or status.state.value,
        server_url=server_url,
        clock_off_ms=status.clock_ahead_ms,
        is_busy=status.state is SyncState.SENDING,
        is_room_low=status.is_room_low,
        is_app_old=status.is_app_old,
    )
