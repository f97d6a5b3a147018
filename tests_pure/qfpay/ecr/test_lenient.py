from unittest import TestCase

from pos_payment_qfpay.qfpay.ecr.lenient import read, read_strictly


class TestEcrLenient(TestCase):
    def test_strict_json_with_its_numbers_as_texts(self):
        text = '{"a": 10.10, "b": 1010, "c": 1E2, "d": NaN, "e": [true, false, null, "x"]}'
        self.assertEqual(
            read(text),
            {'a': '10.10', 'b': '1010', 'c': '1E2', 'd': 'NaN', 'e': [True, False, None, 'x']},
        )

    def test_relaxed_forms(self):
        for text, value in (
            ('{a:1}', {'a': '1'}),
            ("{ 'a' = '1' ; \"b\" : 2 , }", {'a': '1', 'b': '2'}),
            ('{a=true;b=null,c=false}', {'a': True, 'b': None, 'c': False}),
            ('{a:[],b:{}}', {'a': [], 'b': {}}),
            ('{a:[1;2,{b=3}]}', {'a': ['1', '2', {'b': '3'}]}),
            ('{a: two words }', {'a': 'two words'}),
            ("""{a:'',b="",}""", {'a': '', 'b': ''}),
            ('[a,]', ['a']),
            ("'alone'", 'alone'),
            ('word', 'word'),
        ):
            with self.subTest(text):
                self.assertEqual(read(text), value)

    def test_escapes(self):
        for text, value in (
            (r"{a:'\u5496\u5561'}", '咖啡'),
            (r"{a:'\n\t\r\b\f'}", '\n\t\r\b\f'),
            (r"{a:'it\'s'}", "it's"),
            (r"{a:'\\ \/ \" \x'}", '\\ / " x'),
            # too short to be a letter's number
            (r"{a:'\u54'}", 'u54'),
        ):
            with self.subTest(text):
                self.assertEqual(read(text), {'a': value})

    def test_what_is_no_value(self):
        for text, words in (
            ('', 'not a value'),
            ('{', 'not a value'),
            ('{:1}', 'not a value'),
            ('{a:}', 'not a value'),
            ("{a:'1}", 'not a value'),
            ('{a}', 'a name without a value'),
            ('{a 1}', 'a name without a value'),
            ('{a:{b:1}c:2}', 'not closed'),
            ("['a''b']", 'not closed'),
            ('{a:1} {b:2}', 'something follows the value'),
            ('{a:1}}', 'something follows the value'),
        ):
            with self.subTest(text), self.assertRaisesRegex(ValueError, words):
                read(text)

    def test_depth(self):
        for opening, closing in (('[', ']'), ('{a:', '}')):
            with self.subTest(opening):
                read(opening * 20 + 'x' + closing * 20)
                with self.assertRaisesRegex(ValueError, 'nested too deeply'):
                    read(opening * 21 + 'x' + closing * 21)
        with self.assertRaisesRegex(ValueError, 'nested too deeply'):
            read('[' * 100_000)

    def test_length(self):
        """Strict JSON may be long; what must be read letter by letter may not."""
        self.assertEqual(read('"' + 'x' * 65536 + '"'), 'x' * 65536)
        self.assertEqual(read("'" + 'x' * 65534 + "'"), 'x' * 65534)
        with self.assertRaisesRegex(ValueError, 'too long'):
            read("'" + 'x' * 65535 + "'")

    # ------------------------------------------------------------------
    # Strictly
    # ------------------------------------------------------------------

    def test_strict_json_read_strictly(self):
        text = '{"a": 10.10, "b": 1010, "c": 1E2, "e": [true, false, null, "x"], "f": {"a": "咖"}}'
        value = {
            'a': '10.10',
            'b': '1010',
            'c': '1E2',
            'e': [True, False, None, 'x'],
            'f': {'a': '咖'},
        }
        self.assertEqual(read_strictly(text), value)
        self.assertEqual(read(text), value)
        self.assertEqual(read_strictly('"alone"'), 'alone')

    def test_what_no_terminal_writes_by_itself(self):
        """Two messages cut and pasted: a name twice, broken characters, words without quotes."""
        for text in (
            '{"a": "1", "a": "1"}',
            '{"a": "1", "b": {"c": "1", "c": "2"}}',
            '[{"a": "1", "a": "2"}]',
            '{"a": "\ufffd"}',
            '{"\ufffd": "a"}',
            '{"a": NaN}',
            '{"a": Infinity}',
            '{"a": -Infinity}',
        ):
            with self.subTest(text):
                read(text)
                with self.assertRaises(ValueError):
                    read_strictly(text)
        for text in ("{'a': 1}", '{a: 1}', '{"a" = 1}', '{"a": 1;}', '{"a": 1} x', '', '{', 'word'):
            with self.subTest(text), self.assertRaises(ValueError):
                read_strictly(text)

    def test_strict_json_has_a_depth_too(self):
        for opening in ('[', '{"a":'):
            with self.assertRaises(ValueError):
                read_strictly(opening * 200_000)
