"""What can be told to the simulator: tables of settings and faults, and who checks the values.

The control API checks with them, and the web page draws its forms from them.
"""

from dataclasses import dataclass


class SettingRefused(ValueError):
    """A value that a setting cannot take; the message names the setting."""


@dataclass(frozen=True)
class Setting:
    """One setting: what it takes, where it starts, and a label and sentence for the page."""

    kind: str
    default: object
    en: str
    zh: str
    help_en: str = ''
    help_zh: str = ''
    choices: tuple = ()
    group: str = 'customer'
    most: float = 0


@dataclass(frozen=True)
class Fault:
    """Something that goes wrong on purpose.

    ``stage`` is when it strikes: on ``arrival`` of a request, in the ``job``, or on the ``answer``.
    ``commands`` are those it strikes when no others are named; empty for all.
    ``charged_only``: it strikes an answer only when money moved.
    """

    stage: str
    en: str
    zh: str
    commands: tuple = ()
    charged_only: bool = False


class Values:
    """The values of one table, as attributes.

    A table with faults has the settings ``fault``, ``fault_for`` and ``fault_count``.

    :param initial: names to values that differ from the table's and survive a reset
    """

    settings: dict = {}
    faults: dict = {}
    #: what the commands and other things to choose are called on the page
    names: dict = {}

    def __init__(self, initial=None):
        self._initial = dict(initial or {})
        self.reset()

    def reset(self):
        """Back to the values of the start."""
        for name, setting in self.settings.items():
            setattr(self, name, setting.default)
        self.update(self._initial)

    def values(self):
        return {name: getattr(self, name) for name in self.settings}

    def update(self, changes):
        """Take new values, all or none.

        :raises SettingRefused: for an unknown name or a value out of range
        """
        if not isinstance(changes, dict):
            raise SettingRefused('settings are an object of names and values')
        checked = {}
        for name, value in self.unfolded(dict(changes)).items():
            if name not in self.settings:
                raise SettingRefused(f'there is no setting {name!r}')
            setting = self.settings[name]
            checked[name] = CHECKS[setting.kind](name, setting, value)
        self.check_together(self.values() | checked)
        for name, value in checked.items():
            setattr(self, name, value)

    def unfolded(self, changes):
        """The changes, with those that stand for several settings taken apart."""
        return changes

    def check_together(self, values):
        """Refuse values that do not go together; ``values`` are all, as they would be."""

    def fault_at(self, stage, command, *, charged=True):
        """The name of the fault that strikes this request now, or ``None``; it is counted."""
        fault = self.faults.get(self.fault)
        if fault is None or fault.stage != stage or (fault.charged_only and not charged):
            return None
        wanted = self.fault_for or fault.commands
        if wanted and command not in wanted:
            return None
        name = self.fault
        if self.fault_count is not None:
            self.fault_count -= 1
            if not self.fault_count:
                self.fault = self.fault_count = None
        return name

    @classmethod
    def form(cls):
        """The table for the web page, as plain data."""
        return {
            'settings': [
                {
                    'name': name,
                    'kind': setting.kind,
                    'group': setting.group,
                    'choices': list(setting.choices),
                    'default': setting.default,
                    'en': setting.en,
                    'zh': setting.zh,
                    'help_en': setting.help_en,
                    'help_zh': setting.help_zh,
                }
                for name, setting in cls.settings.items()
            ],
            'faults': {
                name: {'stage': fault.stage, 'en': fault.en, 'zh': fault.zh}
                for name, fault in cls.faults.items()
            },
            'commands': {str(code): name for code, name in cls.names.items()},
        }


def _choice(name, setting, value):
    # ``in`` alone would let True pass for 1.
    if not any(
        value is choice or (type(value) is type(choice) and value == choice)
        for choice in setting.choices
    ):
        known = ', '.join(str(choice) for choice in setting.choices)
        raise SettingRefused(f'{name} is one of: {known}')
    return value


def _flag(name, setting, value):
    if not isinstance(value, bool):
        raise SettingRefused(f'{name} is true or false')
    return value


def _number(name, value, least, most):
    if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
        raise SettingRefused(f'{name} is a number from {least:g} to {most:g}')
    return value


def _seconds(name, setting, value):
    return float(_number(name, value, 0, setting.most))


def _factor(name, setting, value):
    return float(_number(name, value, 0.001, setting.most))


def _offset(name, setting, value):
    return float(_number(name, value, -setting.most, setting.most))


def _count(name, setting, value):
    if value is None:
        return None
    if not isinstance(value, int):
        raise SettingRefused(f'{name} is a whole number or null')
    return _number(name, value, 1, setting.most)


def _whole(name, setting, value):
    if not isinstance(value, int):
        raise SettingRefused(f'{name} is a whole number')
    return _number(name, value, 0, setting.most)


def _commands(name, setting, value):
    if value is None or value == []:
        return None
    if not isinstance(value, list) or not all(
        type(code) is type(setting.choices[0]) and code in setting.choices for code in value
    ):
        known = ', '.join(str(choice) for choice in setting.choices)
        raise SettingRefused(f'{name} is null or a list out of: {known}')
    return list(value)


def _last4(name, setting, value):
    if not isinstance(value, str) or len(value) != 4 or not (value.isascii() and value.isdigit()):
        raise SettingRefused(f'{name} has four digits')
    return value


def _code(name, setting, value):
    if _last4(name, setting, value) in ('0000', '1143', '1145'):
        raise SettingRefused(f'{name} is a code of a failure')
    return value


def _url(name, setting, value):
    if value in (None, ''):
        return None
    if not isinstance(value, str) or not value.startswith(('http://', 'https://')):
        raise SettingRefused(f'{name} begins with http:// or https://')
    return value


def _key(name, setting, value):
    if not isinstance(value, str):
        raise SettingRefused(f'{name} is a text')
    return value


CHECKS = {
    'choice': _choice,
    'flag': _flag,
    'seconds': _seconds,
    'factor': _factor,
    'offset': _offset,
    'whole': _whole,
    'count': _count,
    'commands': _commands,
    'last4': _last4,
    'code': _code,
    'url': _url,
    'key': _key,
}
