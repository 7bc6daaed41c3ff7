"""What happens to a run at random moments. To add an event, write a function here."""

import contextlib
import os
import random
import shutil
import signal
import threading

from chaos.proxy import Cut

DOWN_SECONDS_MAX = 1.5
UNHEARD_SECONDS = 3
STOP_SECONDS = 60
FULL_SECONDS = 4
CUT_SECONDS = 4  # a cut that has met nothing by then is taken back
WAKE_SECONDS_MAX = 2

EVENTS = {}


class Event:
    """`happens(case, dice)` is called while a process runs, or has just ended. It returns false where it could do nothing: no connection to
    end, say. `possible(case)` tells of a case that is decided and not begun; `weight` is how often it is taken among others. `needs` is what
    the case must have for it: `ways` (proxies to its servers) or `small disk` (for the destination's rows). `harms`: the process that works
    behind it may fail for it."""

    def __init__(self, name, happens, possible, weight, needs, harms):
        self.name, self.happens, self.possible, self.weight, self.needs, self.harms = name, happens, possible, weight, needs, harms


def event(name, possible=lambda case: True, weight=2, needs=None, harms=True):
    def keep(happens):
        EVENTS[name] = Event(name, happens, possible, weight, needs, harms)
        return happens
    return keep


def choose(case, dice):
    possible = [one for one in EVENTS.values() if one.possible(case)]
    return dice.choices(possible, [one.weight for one in possible])[0]


def to_server(case):
    return case.target.on_server


def to_or_from_server(case):
    return case.source.on_server or case.target.on_server


@event("process killed", weight=8)
def kill_process(case, _):
    return case.kill()


@event("process killed, state folder lost")
def kill_and_forget(case, _):
    if not case.kill():
        return False
    case.state_lost = True
    shutil.rmtree(case.state, ignore_errors=True)
    return True


@event("process killed unheard", to_server, needs="ways")
def kill_unheard(case, _):
    """The server does not know: sessions, their transactions and locks stay."""
    case.ways["dst"].leave_alone()
    threading.Timer(UNHEARD_SECONDS, case.ways["dst"].tell).start()
    return case.kill()


@event("process stopped")
def stop(case, _):
    case.process.send_signal(signal.SIGTERM)
    case.stopped = True
    case.wait(STOP_SECONDS)
    return case.process.poll() in (143, -signal.SIGTERM)


@event("stopped and taken over", weight=5, harms=False)
def stop_and_take_over(case, dice):
    """SIGSTOP of a process that is replaced with --if-running takeover, and SIGCONT once its claim is being taken, while the other works, or
    behind that one's end. Where the destination has no sessions to end: the other is refused until the first is killed."""
    sleeper, number = case.process, case.processes
    if not case.sleep(sleeper):
        return False
    case.start("--if-running", "takeover")
    if not case.target.on_server:
        case.must_be_refused(sleeper)
        case.process, case.sleeper = sleeper, None
        return case.kill()
    case.wait(STOP_SECONDS, lambda: "is taken from process" in case.tail())
    moment, seconds = dice.choice(("at once", "meanwhile", "behind")), dice.uniform(0, WAKE_SECONDS_MAX)
    if moment != "at once":
        case.wait(seconds if moment == "meanwhile" else STOP_SECONDS)
    sleeper.send_signal(signal.SIGCONT)
    case.must_have_given_way(sleeper, number, moment)
    return True


@event("process and server killed", to_server)
def kill_both(case, dice):
    return case.kill() and crash(case.target, dice)


@event("source's server killed", lambda case: case.source.on_server)
def kill_source(case, dice):
    return crash(case.source, dice)


@event("destination's server killed", to_server)
def kill_destination(case, dice):
    return crash(case.target, dice)


def crash(side, dice):
    side.server.crash(dice.uniform(0, DOWN_SECONDS_MAX))
    return True


@event("connection ended", to_or_from_server, weight=4)
def end_connection(case, dice):
    open_ones = [(side, pid) for side in (case.source, case.target) if side.on_server for pid in side.connections()]
    if not open_ones:
        return False
    side, pid = dice.choice(open_ones)
    return side.end_connection(pid)


@event("cut at a byte", to_or_from_server, weight=4, needs="ways")
def cut_at_a_byte(case, dice):
    role, direction = dice.choice(sorted(case.ways)), dice.choice(("up", "down"))
    rows_pass = (role, direction) in (("src", "down"), ("dst", "up"))
    return happened(case, case.ways[role], Cut(direction, int(2 ** dice.uniform(0, 18 if rows_pass else 9))))


@event("cut at a COMMIT", to_server, weight=4, needs="ways")
def cut_at_a_commit(case, dice):
    return happened(case, case.ways["dst"], Cut(commit=dice.choice(("before", "after", "after")), nth=dice.randrange(1, 4)))


@event("connections lost unheard", to_server, needs="ways")
def lose_unheard(case, _):
    """The process knows that they are lost and makes new ones; the server keeps the old sessions for a while."""
    way = case.ways["dst"]
    found = way.leave_alone()
    threading.Timer(UNHEARD_SECONDS, way.tell).start()
    way.end_clients()
    return found > 0


@event("disk full", lambda case: os.geteuid() == 0, needs="small disk")
def fill_disk(case, _):
    """The destination's, until the run has met it."""
    case.touched = True
    filler = case.small / "filler"
    with contextlib.suppress(OSError), open(filler, "wb", buffering=0) as file:
        while file.write(b"x" * 4096):
            pass
    case.wait(FULL_SECONDS)
    filler.unlink()
    return case.process.poll() == 1


def happened(case, way, cut):
    way.arm(cut)
    case.wait(CUT_SECONDS, lambda: cut.done)
    way.arm(None)
    case.note(f"{cut}{'' if cut.done else ': nothing met it'}")
    return cut.done


def dice_of(seed, number):
    """An event's own, so that what one takes does not change the next."""
    return random.Random(f"{seed} event {number}")
