"""A till in a real browser: what a cashier's hands and eyes do, through Playwright.

Runs in the tools' Python environment (Playwright is there) with the machine's own Chromium.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import (
    Browser,
    BrowserContext,
    Locator,
    Page,
    ViewportSize,
    expect,
    sync_playwright,
)

from . import javascript, programs

ARGUMENTS = ('--no-sandbox', '--disable-gpu', '--disable-background-networking')
SCREEN = ViewportSize(width=1366, height=900)
# A first page on a busy machine compiles nothing (the template did) but loads a lot.
LOADING = 90_000


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """A headless browser."""
    # The node inside Playwright's wheel wants a library that a bare Debian does not have.
    os.environ.setdefault('PLAYWRIGHT_NODEJS_PATH', str(javascript.node()))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=programs.browser(), args=list(ARGUMENTS), headless=True
        )
        try:
            yield browser
        finally:
            browser.close()


class Till:
    """One till in one browser window of its own (its own cookies, storage and log-in).

    Every method waits for what it does to be visible. ``page`` is Playwright's page for whatever
    is not here; ``console`` collects what the page's console said.
    """

    def __init__(
        self, browser: Browser, url: str, config_id: int, *, session_id: str = '', **context: Any
    ) -> None:
        """Prepare a window on the till ``config_id`` of the Odoo at ``url``.

        :param session_id: a logged-in session's cookie (then :meth:`log_in` is not needed)
        :param context: options of Playwright's ``new_context`` (``locale`` …)
        """
        self.url = url
        self.config_id = config_id
        self.console: list[str] = []
        self.context: BrowserContext = browser.new_context(viewport=SCREEN, **context)
        if session_id:
            cookie = {'name': 'session_id', 'value': session_id, 'url': url}
            self.context.add_cookies([cookie])  # type: ignore[list-item]
        self.page: Page = self.context.new_page()
        self.page.on('console', lambda message: self.console.append(message.text))
        self.page.on('pageerror', lambda error: self.console.append(f'{error}'))

    def close(self) -> None:
        """Close the window, as a browser that is shut."""
        self.context.close()

    def screenshot(self, path: Path) -> Path:
        """Take a picture of the window; answer its path."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=path)
        return path

    def log_in(self, login: str, password: str) -> None:
        """Log in through Odoo's log-in page, which leads on to this till."""
        target = f'/pos/ui/{self.config_id}'
        self.page.goto(f'{self.url}/web/login?redirect={target}', timeout=LOADING)
        self.page.locator('input[name=login]').fill(login)
        self.page.locator('input[name=password]').fill(password)
        self.page.locator('.oe_login_form button[type=submit]').click()
        self.page.wait_for_url(re.compile(target), timeout=LOADING)

    def open(self) -> None:
        """Open the till; its register too, where it is still closed. Ends on the products."""
        self.page.goto(f'{self.url}/pos/ui/{self.config_id}', timeout=LOADING)
        self._settle()

    def reload(self) -> None:
        """Reload the page, as a cashier who presses F5 does."""
        self.page.reload(timeout=LOADING)
        self._settle()

    def forget(self) -> None:
        """Lose what the browser keeps of the order, as one that was killed before it saved."""
        self.page.evaluate(
            '() => posmodel.data.indexedDB.delete("pos.order", [posmodel.getOrder().uuid])'
        )

    def _settle(self) -> None:
        """Wait for a working screen, passing the welcome and the opening of the register."""
        welcome = self.page.locator('.screen-login .open-register-btn')
        screen = self.page.locator(
            '.product-screen, .payment-screen, .receipt-screen, .ticket-screen'
        )
        expect(welcome.or_(screen).first).to_be_visible(timeout=LOADING)
        if welcome.count():
            welcome.click()
            expect(screen.first).to_be_visible()
        if self.page.evaluate('() => posmodel.session.state') == 'opening_control':
            opening = self.page.locator('.modal-dialog:has(#openingNotes)')
            opening.locator('.modal-footer .btn-primary').click()
            expect(opening).to_have_count(0)

    def new_order(self) -> None:
        """Press the plus: an order without anything on it, whatever else the till holds."""
        self.page.locator('.pos-leftheader .list-plus-btn').first.click()
        expect(self.page.locator('.product-screen')).to_be_visible()
        expect(self.page.locator('.orderline')).to_have_count(0)

    def add(self, product: str, times: int = 1) -> None:
        """Put a product on the order."""
        tile = self.page.locator('article.product', has_text=product)
        for _ in range(times):
            tile.click()
        expect(self.page.locator('.orderline', has_text=product)).to_be_visible()

    def to_payment(self) -> None:
        """Go from the products to the payment screen."""
        self.page.locator('.pay-order-button:visible').click()
        expect(self.page.locator('.payment-screen')).to_be_visible()

    def choose(self, method: str) -> None:
        """Tap a payment method: adds a line (and, for a terminal, asks for its money)."""
        name = self.page.locator('.paymentmethods .payment-name')
        name.filter(has_text=re.compile(rf'^\s*{re.escape(method)}\s*$')).click()

    def pay(self, method: str) -> None:
        """From the products: go to payment and tap the method."""
        self.to_payment()
        self.choose(method)

    @property
    def line(self) -> Locator:
        """The selected payment line's state: the words and buttons under it."""
        return self.page.locator('.paymentline.electronic_payment')

    def status(self) -> str:
        """The words that the selected payment line shows now (empty when there is none)."""
        words = self.line.locator('.electronic_status')
        return words.first.inner_text().strip() if words.count() else ''

    def wait_status(self, words: str | re.Pattern[str], seconds: float = 20) -> None:
        """Wait until the selected payment line's state says ``words`` (a part of the text)."""
        status = self.line.locator('.electronic_status')
        expect(status.first).to_contain_text(words, timeout=seconds * 1000)

    def wait_done(self, uuid: str = '', seconds: float = 20) -> None:
        """Wait until a payment line (by default the newest of the order) is paid in this browser.

        Odoo validates an order by itself once its terminal payment is done, unless the till is
        set up otherwise: the screen may be the receipt already.
        """
        self.page.wait_for_function(
            """(uuid) => {
                const line = uuid
                    ? posmodel.models["pos.payment"].getBy("uuid", uuid)
                    : posmodel.getOrder()?.payment_ids.at(-1);
                return line?.payment_status === "done";
            }""",
            arg=uuid,
            timeout=seconds * 1000,
        )

    def customer_display(self) -> Page:
        """Open the till's second screen, as its customer sees it; the till stays in front."""
        with self.context.expect_page() as opened:
            self.page.evaluate(
                '() => window.open(`/pos_customer_display/${posmodel.config.id}/1`, "_blank")'
            )
        display = opened.value
        display.wait_for_load_state('load')
        self.page.bring_to_front()
        return display

    def scan(self, code: str) -> None:
        """Type as a scanner does: faster than any hand, ending with Enter."""
        self.page.keyboard.type(code)
        self.page.keyboard.press('Enter')

    def call_off(self) -> None:
        """Press the line's Cancel."""
        self.line.locator('.send_payment_cancel').click()

    def retry(self) -> None:
        """Press the line's Retry (or Send)."""
        self.line.locator('.send_payment_request').click()

    def validate(self) -> None:
        """Press Validate, where Odoo has not done so by itself, and wait for the receipt."""
        receipt = self.page.locator('.receipt-screen, .feedback-screen').first
        button = self.page.locator('.payment-screen button.validation-button.next.highlight')
        expect(receipt.or_(button).first).to_be_visible()
        if button.count() and self.page.evaluate(
            '() => !posmodel.config.auto_validate_terminal_payment'
            ' || !posmodel.getOrder().payment_ids.some((line) => line.payment_status)'
        ):
            button.click()
        expect(receipt).to_be_visible(timeout=20_000)

    def next_order(self) -> None:
        """From the receipt: begin the next order."""
        self.page.locator('.receipt-screen button[name=done]').click()
        expect(self.page.locator('.product-screen')).to_be_visible()

    def dialog(self) -> Locator:
        """The dialog on top, if one is open."""
        return self.page.locator('.modal-dialog').last

    def close_dialog(self) -> None:
        """Press the first button of the dialog on top."""
        self.dialog().locator('.modal-footer .btn').first.click()

    def uuid(self) -> str:
        """The selected payment line's uuid, out of the page's own memory."""
        return str(
            self.page.evaluate('() => posmodel.getOrder().getSelectedPaymentline()?.uuid ?? ""')
        )
