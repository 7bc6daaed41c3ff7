"""What happens to a run at random moments. To add an event, write a function here."""

import random
import shutil

from chaos.proxy import Cut

DOWN_SECONDS_MAX = 1.5
CUT_SECONDS = 4  # a cut that has met nothing by then is taken back

EVENTS = {}


class Event:
    """`happens(case, dice)` is called while a process runs, or has just ended. It returns false where it could do nothing: no connection to
    end, say. `possible(case)` tells of a case that is decided and not begun; `weight` is how often it is taken among others."""

    def __init__(self, name, happens, possible, weight):
        self.name, self.happens, self.possible, self.weight = name, happens, possible, weight


def event(name, possible=lambda case: True, weight=1):
    def keep(happens):
        EVENTS[name] = Event(name, happens, possible, weight)
        return happens
    return keep


def choose(case, dice):
    possible = [one for one in EVENTS.values() if one.possible(case)]
    return dice.choices(possible, [one.weight for one in possible])[0]


@event("process killed", weight=4)
def kill_process(case, _):
    return case.kill()


@event("process killed, state folder lost")
def kill_and_forget(case, _):
    if not case.kill():
        return False
    case.state_lost = True
    shutil.rmtree(case.state, ignore_errors=True)
    return True


@event("source's server killed", lambda case: case.source.on_server)
def kill_source(case, dice):
    return crash(case.source, dice)


@event("destination's server killed", lambda case: case.target.on_server)
def kill_destination(case, dice):
    return crash(case.target, dice)


def crash(side, dice):
    side.server.crash(dice.uniform(0, DOWN_SECONDS_MAX))
    return True


@event("connection ended", lambda case: case.source.on_server or case.target.on_server, weight=2)
def end_connection(case, dice):
    open_ones = [(side, pid) for side in (case.source, case.target) if side.on_server for pid in side.connections()]
    if not open_ones:
        return False
    side, pid = dice.choice(open_ones)
    return side.end_connection(pid)


@event("cut at a byte", lambda case: case.source.on_server or case.target.on_server, weight=2)
def cut_at_a_byte(case, dice):
    role, direction = dice.choice(sorted(case.ways)), dice.choice(("up", "down"))
    rows_pass = (role, direction) in (("src", "down"), ("dst", "up"))
    return happened(case, case.ways[role], Cut(direction, int(2 ** dice.uniform(0, 18 if rows_pass else 9))))


@event("cut at a COMMIT", lambda case: case.target.on_server, weight=2)
def cut_at_a_commit(case, dice):
    return happened(case, case.ways["dst"], Cut(commit=dice.choice(("before", "after", "after")), nth=dice.randrange(1, 4)))


def happened(case, way, cut):
    way.arm(cut)
    case.wait(CUT_SECONDS, lambda: cut.done)
    way.arm(None)
    case.note(f"{cut}{'' if cut.done else ': nothing met it'}")
    return cut.done


def dice_of(seed, number):
    """An event's own, so that what one takes does not change the next."""
    return random.Random(f"{seed} event {number}")
