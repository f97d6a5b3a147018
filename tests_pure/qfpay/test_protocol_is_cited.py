"""Comments cite docs/protocol.md by number, and every number that they cite stands there."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from unittest import TestCase

ROOT = Path(__file__).resolve().parents[2]
NUMBER = r'[A-E][1-9][0-9]?(?:\.[1-9])?'
#: a number, or the first and last of several; not a piece of a key, a code or a quoted text
CITED = re.compile(
    rf"""(?<![\w'"+/=%.-])({NUMBER})(?:(?:-| to )({NUMBER}))?(?![\w'"+/=%])""",
)
#: a heading, or the first cell of a row
WRITTEN = re.compile(rf'^(?:#+|\|) ({NUMBER}) ', re.MULTILINE)


def cited(text: str) -> set[str]:
    """The numbers that a text cites, those between two as well."""
    found = set()
    for first, last in CITED.findall(text):
        found |= {first, last or first}
        if last and '.' not in first + last:
            found |= {f'{first[0]}{i}' for i in range(int(first[1:]), int(last[1:]))}
    return found


def sources() -> Iterator[Path]:
    """The programs of the repository, but for this one."""
    for folder, inside, files in os.walk(ROOT):
        inside[:] = [name for name in inside if name[0] != '.' and name != 'node_modules']
        paths = (Path(folder, name) for name in files if name.endswith(('.py', '.js')))
        yield from (path for path in paths if path != Path(__file__).resolve())


class TestProtocolIsCited(TestCase):
    def test_what_counts_as_a_citation(self):
        self.assertEqual(cited('(the protocol, A12.3 and B7); B11'), {'A12.3', 'B7', 'B11'})
        self.assertEqual(cited('B2-B5, E3 to E5.'), {'B2', 'B3', 'B4', 'B5', 'E3', 'E4', 'E5'})
        self.assertEqual(cited("'E1' A920 S324 A12b +B7/ %E3 x-A1 0xB4"), set())

    def test_every_number_that_is_cited_is_written(self):
        written = WRITTEN.findall((ROOT / 'docs' / 'protocol.md').read_text('utf-8'))
        self.assertEqual(len(written), len(set(written)), 'a number stands twice')
        places: dict[str, list[str]] = {}
        for path in sources():
            for number in cited(path.read_text('utf-8')):
                places.setdefault(number, []).append(str(path.relative_to(ROOT)))
        self.assertLessEqual({'A3', 'A12.5', 'B9', 'E7'}, places.keys(), 'none are found')
        missing = {number: where for number, where in places.items() if number not in written}
        self.assertEqual(missing, {})
