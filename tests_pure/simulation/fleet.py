"""All processes, what befalls them, and what reaches any of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...ledger.testimony import Testimony, Witness
from ...qfpay.outcome import Outcome
from .courier import RENEWED_EVERY, Link, Process
from .world import Machine

if TYPE_CHECKING:
    from .storage import Row
    from .world import World

#: every process looks so often, in seconds, whether a link is free
LOOKS_EVERY = 2.0
#: a mailbox is emptied so often
MAILBOX = 0.5


class Fleet:
    """Two processes, on one machine or on two."""

    def __init__(self, world: World) -> None:
        self.world = world
        machines = [Machine(number, world.between(0.0, 1e5)) for number in (1, 2)]
        if world.random() < 0.5:
            machines[1] = machines[0]
        self.processes = [Process(world, machine, f'p{number}')
                          for number, machine in enumerate(machines)]  # fmt: skip
        self.links: list[Link] = []
        self._started = len(machines)
        self._is_watching = False

    def any(self) -> Process | None:
        """A process that answers, as the load balancer finds one."""
        fit = [process for process in self.processes if process.is_in_order()]
        return fit[int(self.world.random() * len(fit))] if fit else None

    # ------------------------------------------------------------------
    # What befalls them
    # ------------------------------------------------------------------

    def crash(self, process: Process, is_off: bool = False) -> None:
        """It dies with all it had in its memory, and is started again."""
        world = self.world
        if not process.is_alive or process not in self.processes:
            return
        self._settle()
        world.note('%s dies', process)
        process.is_alive = False
        place = self.processes.index(process)
        self._started += 1
        successor = Process(world, process.machine, f'p{self._started}')
        successor.stands_until = world.t + world.between(1.0, 100.0 if is_off else 25.0)
        self.processes[place] = successor
        self.watch()

    def reboot(self, machine: Machine) -> None:
        self.world.note('machine %s is switched off', machine.name)
        for process in [*self.processes]:
            if process.machine is machine:
                self.crash(process, is_off=True)
        machine.reboot(self.world.t)

    def stop(self, process: Process, seconds: float) -> None:
        """SIGSTOP, and later SIGCONT; or a machine that swaps."""
        self._settle()
        self.world.note('%s stands still for %.1f s', process, seconds)
        process.stands_until = self.world.t + seconds
        self.watch()

    def cut(self, process: Process, seconds: float) -> None:
        """It loses the database, and nothing else."""
        self._settle()
        self.world.note('%s is cut off from the database for %.1f s', process, seconds)
        process.is_cut_until = self.world.t + seconds
        self.watch()

    def _settle(self) -> None:
        for link in self.links:
            link.settle()
            if self._is_owned(link):
                link.orphan_since = None

    def set_clock(self, by: float) -> None:
        self._settle()
        self.world.set_by += by
        self.world.note("the database's clock is set by %+.0f s", by)
        self.watch()

    def lose_database(self) -> None:
        self._settle()
        self.world.database.is_up = False
        for link in self.links:
            link.orphan_since = None

    def find_database(self) -> None:
        world = self.world
        world.database.is_up = True
        for link in self.links:
            link.renewed = world.t - world.between(0.0, RENEWED_EVERY)
            for row in link.rows:
                self.poke(row)
        self.watch()

    # ------------------------------------------------------------------
    # Links without an owner
    # ------------------------------------------------------------------

    def watch(self) -> None:
        """Somebody looks, every two seconds, as long as a link has no owner who is in order."""
        for link in self.links:
            if self._is_owned(link) or not link.rows:
                link.orphan_since = None
            elif link.orphan_since is None:
                link.orphan_since = self.world.t
        if not self._is_watching:
            self._is_watching = True
            self.world.after(self.world.between(0.0, LOOKS_EVERY), self._look)

    @staticmethod
    def _is_owned(link: Link) -> bool:
        return link.owner is not None and link.owner.is_in_order()

    def _look(self) -> None:
        self._is_watching = False
        again = False
        process = self.any()
        for link in self.links:
            if process is None:
                # nobody could do better
                link.orphan_since = self.world.t
            if link.owner is None and not link.rows:
                continue
            if process is not None and link.owner is not process and link.is_free():
                process.take_link(link)
            again = again or not self._is_owned(link)
        if again:
            self.watch()
        else:
            for link in self.links:
                link.orphan_since = None

    def hold(self, row: Row, process: Process) -> None:
        """Who starts a payment takes its link at once, if nobody has it."""
        if row.link.owner is None:
            process.take_link(row.link)
        else:
            self.poke(row)
            self.watch()

    def poke(self, row: Row) -> None:
        """A word in the mailbox of whoever has the link."""
        owner = row.link.owner
        if owner is not None and owner.is_alive:
            owner.after(self.world.between(0.0, MAILBOX), owner.step, row)

    # ------------------------------------------------------------------
    # Notifications
    # ------------------------------------------------------------------

    def take_notice(self, reference: str, outcome: Outcome) -> bool:
        """A verified notification arrives; false when nobody could take it."""
        process = self.any()
        if process is None:
            return False
        for row in self.world.database.rows:
            if row.attempt.reference == reference:
                said = Testimony(at=process.now(), witness=Witness.NOTIFICATION, outcome=outcome)
                self.world.database.hear(row, said)
                self.poke(row)
                return True
        return True
