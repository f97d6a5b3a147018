"""How often what goes wrong, in one schedule.

Each schedule draws for each fault whether it occurs at all, and how often. So there are schedules
in which one thing goes wrong again and again, and schedules in which many go wrong once; and most
of each schedule makes progress.
"""

from random import Random

#: of each fault: in how many schedules it occurs, and how often there at most
RATES: dict[str, tuple[float, float]] = {
    # between a carrier and QFPay
    'refused': (0.12, 0.4),
    'lost_request': (0.12, 0.3),
    'lost_answer': (0.30, 0.6),
    'garbled': (0.12, 0.3),
    'slow': (0.20, 0.4),
    'stall': (0.20, 0.4),
    'doze': (0.10, 0.5),
    # what QFPay does
    'late_row': (0.25, 1.0),
    'vague': (0.25, 0.8),
    'line_breaks': (0.10, 0.5),
    'bare': (0.12, 0.4),
    'unlisted': (0.10, 0.3),
    'crossing': (0.15, 0.5),
    'raised': (0.15, 0.8),
    'retried': (0.12, 0.5),
    'paid_twice': (0.06, 0.4),
    'other_amount': (0.10, 0.5),
    'other_currency': (0.08, 0.5),
    'other_row': (0.06, 0.4),
    'leaves_out': (0.20, 0.5),
    'denies_list': (0.12, 0.4),
    'undone': (0.10, 0.5),
    'slow_refund': (0.20, 0.7),
    'notice_lost': (0.30, 1.0),
    'notice_late': (0.20, 0.6),
    'notice_twice': (0.15, 0.5),
    'notice_blank': (0.15, 0.8),
    # who is not QFPay, or at another time
    'stranger': (0.12, 0.4),
    'replay': (0.12, 0.4),
    'pasted': (0.08, 0.3),
    'mistaken': (0.08, 0.3),
    # machines
    'mishap': (0.35, 0.08),
    'projection_fails': (0.12, 0.5),
    # the shop
    'double_tap': (0.15, 0.6),
    'second_till': (0.15, 0.7),
    'calls_off': (0.25, 0.7),
    'deletes': (0.25, 0.6),
    'forces': (0.15, 0.8),
    'forces_wrongly': (0.05, 0.6),
    'looks': (0.15, 0.6),
    'asks_now': (0.20, 0.9),
    'refunds': (0.35, 1.0),
    'portal': (0.08, 0.6),
}

#: what befalls a whole schedule: in how many
CALAMITIES: dict[str, float] = {
    'clock_set': 0.12,
    'database_crash': 0.12,
    'database_away': 0.08,
    'failover': 0.04,
    'machine_off': 0.06,
    'process_stops': 0.12,
    'process_cut': 0.06,
    'terminal_off': 0.10,
    'host_away': 0.06,
    'denial': 0.12,
    'long_denial': 0.06,
    'reboot_sets_clock': 0.04,
    'unsealed': 0.04,
}

#: in so many schedules some faults that are bad together do occur, and often
THEMED = 0.3
THEMES: tuple[tuple[str, ...], ...] = (
    ('late_row', 'vague', 'slow', 'asks_now'),
    ('late_row', 'vague', 'doze', 'asks_now'),
    ('lost_answer', 'forces', 'forces_wrongly'),
    ('line_breaks', 'forces', 'forces_wrongly', 'refunds'),
    ('lost_answer', 'raised', 'asks_now'),
    ('lost_answer', 'notice_lost', 'calls_off', 'undone', 'crossing'),
    ('lost_answer', 'notice_lost', 'slow', 'raised', 'undone'),
    ('lost_answer', 'refunds', 'replay'),
    ('lost_answer', 'refunds', 'portal'),
    ('refunds', 'portal'),
    ('pasted', 'refunds'),
    ('lost_answer', 'refunds', 'mistaken'),
    ('line_breaks', 'bare'),
)

#: schedules in which nothing goes wrong at all
CALM = 0.05
#: what goes wrong does so until then, in seconds; afterwards all is well
PEACE = (40.0, 90.0, 250.0, 1300.0)


class Weather:
    """The rates of one schedule, by name; 0 for what does not occur."""

    __slots__ = (*RATES, 'calamities', 'is_calm', 'peace')

    def __init__(self) -> None:
        for name in RATES:
            setattr(self, name, 0.0)
        self.calamities: tuple[str, ...] = ()
        self.is_calm = True
        self.peace = 0.0

    def __str__(self) -> str:
        rates = ((name, getattr(self, name)) for name in RATES)
        told = [f'{name} {rate:.2f}' for name, rate in rates if rate]
        return ', '.join([*told, *self.calamities]) or 'calm'


#: the shop does these things in calm weather, too
_DAILY = ('double_tap', 'second_till', 'calls_off', 'deletes', 'looks', 'asks_now', 'refunds')


def draw(rng: Random) -> Weather:
    """The weather of a schedule."""
    weather = Weather()
    random = rng.random
    is_calm = weather.is_calm = random() < CALM
    weather.peace = PEACE[int(random() * len(PEACE))]
    if is_calm:
        return weather
    theme = THEMES[int(random() * len(THEMES))] if random() < THEMED else ()
    for name, (often, most) in RATES.items():
        if name in theme:
            setattr(weather, name, most * (0.5 + random() / 2.0))
        elif random() < often:
            setattr(weather, name, most * random())
    weather.calamities = tuple(
        name for name, rate in CALAMITIES.items() if name in theme or random() < rate
    )
    return weather


def peace(weather: Weather) -> None:
    """From now on all is well."""
    for name in RATES:
        if name not in _DAILY:
            setattr(weather, name, 0.0)
