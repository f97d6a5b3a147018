import json
from unittest import TestCase

from pos_payment_qfpay.qfpay.fields import Fields


class TestFields(TestCase):
    def test_texts(self):
        fields = Fields({'a': '', 'b': ' x\0 \n y ', 'c': 5, 'd': ['x'], 'e': 'z' * 200, 'f': None})
        self.assertEqual(fields.text('b'), 'x y')
        self.assertEqual(fields.text('a', 'c', 'd', 'f', 'b'), 'x y')
        self.assertEqual(fields.text('a', 'missing'), '')
        self.assertEqual(len(fields.text('e')), 128)
        self.assertEqual(fields.text('e', limit=3), 'zzz')

    def test_texts_that_are_of_use_only_as_they_are(self):
        fields = Fields({'a': 'a b', 'b': 'a\nb', 'c': 'abcd', 'd': 5})
        self.assertEqual([fields.exact(name, 3) for name in 'abcd'], ['a b', '', '', ''])
        self.assertEqual(fields.exact('c', 4), 'abcd')

    def test_codes_have_four_characters(self):
        for said, code in (
            ('0', '0000'),
            ('51', '0051'),
            ('6000', '6000'),
            ('12345', '12345'),
            ('E1', 'E1'),
            ('٥', '٥'),
            ('', ''),
            (None, ''),
        ):
            with self.subTest(said):
                self.assertEqual(Fields({'respcd': said}).code(), code)
        self.assertEqual(Fields({'code': '7'}).code('code'), '0007')

    def test_numbers(self):
        for said, number in (
            ('1010', 1010),
            ('-5', -5),
            ('0', 0),
            ('9' * 15, 10**15 - 1),
            ('9' * 16, None),
            ('1.5', None),
            ('+5', None),
            ('', None),
            ('٥', None),
            (True, None),
        ):
            with self.subTest(said):
                self.assertEqual(Fields({'n': said}).number('n'), number)

    def test_fields_over_others(self):
        fields = Fields({'a': '1', 'b': '', 'c': None}).over(
            {'a': '2', 'b': '3', 'c': '4', 'd': '5'}
        )
        self.assertEqual([fields.raw(name) for name in 'abcde'], ['1', '3', '4', '5', None])

    def test_all_of_it_for_people(self):
        fields = Fields({'respmsg': '交易成功', 'data': {'a': [True, None, '1']}})
        self.assertIn('交易成功', fields.as_text())
        self.assertEqual(
            json.loads(fields.as_text()), {'respmsg': '交易成功', 'data': {'a': [True, None, '1']}}
        )
        opened = fields.with_data(Fields({'b': '2'}))
        self.assertEqual(json.loads(opened.as_text()), {'respmsg': '交易成功', 'data': {'b': '2'}})
        self.assertEqual(fields.raw('data'), {'a': [True, None, '1']})
        self.assertEqual(json.loads(Fields({}).as_text()), {})
