"""Codes in a real browser: shown at the till and on the customer display, scanned at the till."""

import base64
import io
import re

import pytest
import qrcode
from playwright.sync_api import expect

from tools import machine

PICTURES = machine.RUN / 'e2e'
# A camera whose picture can be changed: window.show(url). Its tracks are in window.tracks.
CAMERA = """
    () => {
        const canvas = Object.assign(document.createElement("canvas"), { width: 640, height: 480 });
        const context = canvas.getContext("2d");
        let picture = null;
        window.tracks = [];
        window.show = async (url) => {
            picture = Object.assign(new Image(), { src: url });
            await picture.decode();
        };
        setInterval(() => {
            context.fillStyle = "white";
            context.fillRect(0, 0, 640, 480);
            if (picture) {
                context.drawImage(picture, 170, 90, 300, 300);
            }
        }, 100);
        navigator.mediaDevices.getUserMedia = async () => {
            const stream = canvas.captureStream(10);
            window.tracks.push(...stream.getTracks());
            return stream;
        };
    }
"""


def picture_of(code):
    """A QR code as a picture's URL."""
    file = io.BytesIO()
    qrcode.make(code).save(file)
    return f'data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}'


@pytest.fixture
def gs1(odoo_server):
    """A company that reads GS1 bar codes, which know nothing of wallets."""
    odoo_server.sql(
        'UPDATE res_company SET nomenclature_id = (SELECT id FROM barcode_nomenclature'
        ' WHERE is_gs1_nomenclature LIMIT 1)'
    )
    yield
    odoo_server.sql(
        'UPDATE res_company SET nomenclature_id = (SELECT id FROM barcode_nomenclature'
        ' WHERE NOT is_gs1_nomenclature LIMIT 1)'
    )


def test_a_shown_code_is_on_both_screens_until_it_is_paid(odoo_server, simulator, pos):
    till = pos('Till 1')
    display = till.customer_display()
    till.add('Porcelain Cup')
    till.pay('WeChat code')
    code = till.page.locator('.qfpay-code-dialog .qfpay-code img')
    expect(code).to_be_visible(timeout=20_000)
    theirs = display.locator('.qfpay-customer-code')
    expect(theirs.locator('img')).to_be_visible(timeout=20_000)
    expect(theirs).to_contain_text('45.50')
    till.screenshot(PICTURES / 'shown-code.png')
    display.screenshot(path=PICTURES / 'shown-code-customer.png')
    uuid = till.uuid()
    simulator.gateway_act('scan')
    simulator.gateway_act('pay')
    till.wait_done(uuid)
    expect(code).to_have_count(0)
    expect(theirs).to_have_count(0)
    till.validate()
    (row,) = odoo_server.sql(
        'SELECT state, amount_minor, syssn FROM qfpay_transaction WHERE payment_uuid = %s', uuid
    )
    order = simulator.gateway_order()
    assert row == {'state': 'done', 'amount_minor': 4550, 'syssn': order['syssn']}


@pytest.mark.parametrize('remembers', [True, False], ids=['remembered', 'forgotten'])
def test_a_shown_code_survives_a_reload_and_goes_when_it_is_called_off(remembers, simulator, pos):
    """Also when the browser had no time to save the order, and takes it from the server."""
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.pay('WeChat code')
    code = till.page.locator('.qfpay-code-dialog .qfpay-code img')
    expect(code).to_be_visible(timeout=20_000)
    if not remembers:
        till.forget()
    till.reload()
    expect(code).to_be_visible(timeout=20_000)
    till.page.locator('.qfpay-call-off').click()
    expect(till.page.locator('.qfpay-code-dialog')).to_have_count(0, timeout=20_000)
    again = till.page.locator('.send_payment_request')
    expect(again).to_be_visible(timeout=20_000)
    assert len(simulator.gateway_orders()) == 1
    # The next test finds the till without an order.
    again.click()
    expect(code).to_be_visible(timeout=20_000)
    uuid = till.uuid()
    simulator.gateway_act('pay')
    till.wait_done(uuid)


def test_a_code_that_runs_out_is_renewed(simulator, pos):
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.pay('WeChat code')
    code = till.page.locator('.qfpay-code-dialog .qfpay-code img')
    expect(code).to_be_visible(timeout=20_000)
    first = code.get_attribute('src')
    uuid = till.uuid()
    simulator.gateway_act('expire')
    expect(code).not_to_have_attribute('src', first, timeout=30_000)
    assert len(simulator.gateway_orders()) == 2
    simulator.gateway_act('pay')
    till.wait_done(uuid)


def test_a_scanned_code_is_charged_under_gs1_and_never_becomes_an_amount(simulator, gs1, pos):
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.pay('Scan wallet')
    dialog = till.page.locator('.qfpay-scan-dialog')
    expect(dialog).to_be_visible()
    till.scan('4891234567890')
    expect(dialog.locator('.qfpay-scan-problem')).to_contain_text('no payment code')
    till.screenshot(PICTURES / 'scan-refused.png')
    uuid = till.uuid()
    till.scan(simulator.phone_code('alipay', 'password'))
    expect(till.page.locator('.qfpay-status')).to_contain_text(re.compile('password', re.I))
    till.screenshot(PICTURES / 'scan-password.png')
    till.wait_done(uuid, seconds=30)
    assert simulator.gateway_order()['amount_minor'] == 4550


def test_a_used_code_asks_for_another(simulator, pos):
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.pay('Scan wallet')
    dialog = till.page.locator('.qfpay-scan-dialog')
    expect(dialog).to_be_visible()
    uuid = till.uuid()
    till.scan(simulator.phone_code('wechat', 'used'))
    expect(dialog.locator('.qfpay-scan-problem')).to_contain_text('new', timeout=20_000)
    till.scan(simulator.phone_code('wechat'))
    till.wait_done(uuid)


def test_the_camera_reads_the_code_on_a_phone_and_is_switched_off(simulator, pos):
    till = pos('Till 1')
    till.page.evaluate(CAMERA)
    till.add('Porcelain Cup')
    till.pay('Scan wallet')
    till.page.set_viewport_size({'width': 375, 'height': 553})
    dialog = till.page.locator('.qfpay-scan-dialog')
    expect(dialog).to_be_visible()
    uuid = till.uuid()
    camera = dialog.locator('.qfpay-camera')
    camera.focus()
    camera.click()
    till.page.evaluate('(url) => show(url)', picture_of('https://example.com'))
    problem = dialog.locator('.qfpay-scan-problem')
    expect(problem).to_contain_text('no payment code')
    till.screenshot(PICTURES / 'scan-camera-refused.png')
    words = problem.bounding_box()
    buttons = dialog.locator('.modal-footer').bounding_box()
    assert words['y'] + words['height'] <= buttons['y'], 'what is wrong is seen without scrolling'
    expect(camera).to_be_focused()  # not the input: a phone would open its keyboard
    till.page.evaluate('(url) => show(url)', picture_of(simulator.phone_code('wechat')))
    till.wait_done(uuid)
    expect(dialog).to_have_count(0)
    assert till.page.evaluate('() => tracks.map((track) => track.readyState)') == ['ended']
    assert simulator.gateway_order()['amount_minor'] == 4550


def test_the_code_and_its_buttons_fit_on_a_phone(simulator, pos):
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.to_payment()
    till.page.set_viewport_size({'width': 375, 'height': 553})
    till.choose('WeChat code')
    dialog = till.page.locator('.qfpay-code-dialog')
    image = dialog.locator('.qfpay-code img')
    expect(image).to_be_visible(timeout=20_000)
    till.page.wait_for_timeout(500)  # the dialog slides in
    till.screenshot(PICTURES / 'shown-code-phone.png')
    code, words, footer = (
        place.bounding_box()
        for place in (
            image,
            dialog.locator('.qfpay-time-left'),
            dialog.locator('.modal-footer'),
        )
    )
    assert code['width'] > 180
    assert code['y'] > 0
    assert words['y'] + words['height'] <= footer['y']
    assert footer['y'] + footer['height'] <= 553
    dialog.locator('.qfpay-call-off').click()
    expect(till.page.locator('.send_payment_request')).to_be_visible(timeout=20_000)
    # The next test finds the till without an order.
    till.page.locator('.paymentline .delete-button').click()


def test_a_method_tapped_twice_in_a_hurry_asks_once_and_shows_no_error(simulator, pos):
    """QFPay takes its time meanwhile: nobody is told that its code is lost."""
    simulator.gateway_settings(
        fault='slow_answer', fault_for=['payment'], fault_count=1, fault_delay=5
    )
    till = pos('Till 1')
    till.add('Porcelain Cup')
    till.to_payment()
    till.page.locator('.paymentmethods .payment-name', has_text='WeChat code').dblclick()
    till.wait_status('Asking QFPay for a code')
    uuid = till.uuid()
    till.page.wait_for_timeout(3000)  # QFPay was asked meanwhile, and has an order without a code
    assert till.status() == 'Asking QFPay for a code…'
    expect(till.page.locator('.qfpay-code-dialog .qfpay-code img')).to_be_visible(timeout=20_000)
    expect(till.page.locator('.modal-dialog')).to_have_count(1)
    assert len(simulator.gateway_orders()) == 1
    simulator.gateway_act('pay')
    till.wait_done(uuid)
