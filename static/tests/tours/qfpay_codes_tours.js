/* global posmodel */
import { delay } from "@web/core/utils/concurrency";
import { registry } from "@web/core/registry";
import { simulateBarCode } from "@barcodes/../tests/legacy/helpers";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as PaymentScreen from "@point_of_sale/../tests/pos/tours/utils/payment_screen_util";
import * as ProductScreen from "@point_of_sale/../tests/pos/tours/utils/product_screen_util";
import * as ReceiptScreen from "@point_of_sale/../tests/pos/tours/utils/receipt_screen_util";
import * as TicketScreen from "@point_of_sale/../tests/pos/tours/utils/ticket_screen_util";
import { call, customerDoes, lineIs } from "@pos_payment_qfpay/../tests/tours/qfpay_steps";

const SHOWN = "WeChat code";
const SCANNED = "Scan wallet";
const CODE = ".qfpay-code-dialog .qfpay-code img";

const customer = (part) => customerDoes("lent_customer", part);

function begin(method, cups = 1) {
    return [
        ProductScreen.addOrderline("Porcelain Cup", `${cups}`),
        ProductScreen.clickPayButton(),
        PaymentScreen.clickPaymentMethod(method),
    ].flat();
}

const codeIsShown = () => ({ content: "the code is shown", trigger: CODE });
const codeIsGone = () => ({
    content: "no code is shown",
    trigger: "body:not(:has(.qfpay-code-dialog))",
    run() {
        const { qrPaymentData } = posmodel.getOrder().getSelectedPaymentline() || {};
        if (qrPaymentData) {
            throw new Error("The customer still sees the code");
        }
    },
});
const click = (content, trigger) => ({ content, trigger, run: "click" });

/** A wallet's code, into the scanner's hands: as fast as a scanner types, with Enter or without. */
function scan(wallet, script, end = ["Enter"]) {
    return {
        content: `scan a code of ${wallet} that is ${script}`,
        trigger: ".qfpay-scan-dialog input",
        async run() {
            const code = await call("lent_code", wallet, script);
            simulateBarCode([...code, ...end], document.body);
        },
    };
}

function amountIs(amount) {
    return {
        content: `the line's amount is ${amount}`,
        trigger: "body",
        run() {
            const line = posmodel.getOrder().getSelectedPaymentline();
            if (line.amount !== amount) {
                throw new Error(`The amount is ${line.amount}`);
            }
        },
    };
}

function addTour(name, ...steps) {
    registry.category("web_tour.tours").add(name, {
        steps: () => [Chrome.startPoS(), ...steps.flat(), Chrome.endTour()].flat(2),
    });
}

addTour(
    "qfpay_code_shown",
    begin(SHOWN),
    codeIsShown(),
    {
        content: "the customer sees the same",
        trigger: `.qfpay-code-dialog .qfpay-time-left:contains("4:")`,
        run() {
            const { qrPaymentData } = posmodel.getOrder().getSelectedPaymentline();
            const isSame = qrPaymentData.qrCode === document.querySelector(CODE).src;
            if (
                !isSame ||
                qrPaymentData.name !== "WeChat Pay" ||
                !(qrPaymentData.secondsLeft > 200)
            ) {
                throw new Error("The customer sees something else");
            }
        },
    },
    click("close the dialog", ".qfpay-hide-code"),
    Dialog.isNot(),
    lineIs("waiting", "Waiting for the customer to scan the code"),
    click("look at the code again", ".qfpay_show_code"),
    codeIsShown(),
    customer("pay"),
    ReceiptScreen.isShown(),
    codeIsGone()
);

let firstCode;

addTour(
    "qfpay_code_runs_out",
    begin(SHOWN),
    { ...codeIsShown(), run: () => (firstCode = document.querySelector(CODE).src) },
    customer("expire"),
    {
        content: "another code takes its place",
        trigger: ".qfpay-code-dialog",
        async run() {
            const isOld = () => [undefined, firstCode].includes(document.querySelector(CODE)?.src);
            for (let patience = 100; isOld(); patience--) {
                if (!patience) {
                    throw new Error("The code was not renewed");
                }
                await delay(100);
            }
        },
    },
    customer("pay"),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_code_called_off",
    begin(SHOWN),
    codeIsShown(),
    click("cancel the payment", ".qfpay-call-off"),
    codeIsGone(),
    lineIs("retry", "No money moved"),
    Dialog.isNot(),
    click("remove the line", ".paymentline .delete-button"),
    PaymentScreen.clickPaymentMethod("Cash"),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_code_paid_while_called_off",
    begin(SHOWN),
    codeIsShown(),
    {
        content: "the customer pays in the moment in which the cashier cancels",
        trigger: ".qfpay-call-off",
        async run() {
            await call("lent_customer", "pay");
            document.querySelector(".qfpay-call-off").click();
        },
    },
    Dialog.is({ title: "The payment was approved" }),
    Dialog.confirm(),
    lineIs("done", "Paid with WeChat Pay."),
    codeIsGone(),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_code_reload",
    begin(SHOWN),
    {
        ...codeIsShown(),
        run: () => window.location.reload(),
        expectUnloadPage: true,
    },
    codeIsShown(),
    customer("pay"),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_code_without_call_off",
    begin("FPS code"),
    codeIsShown(),
    click("try to cancel the payment", ".qfpay-call-off"),
    lineIs("waiting", "cannot be cancelled"),
    codeIsGone(),
    click("let the customer pay after all", ".qfpay_show_code"),
    codeIsShown(),
    customer("pay"),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_scan",
    begin(SCANNED),
    {
        content: "scan a product",
        trigger: ".qfpay-scan-dialog input",
        run: () => simulateBarCode([..."4891234567894", "Enter"], document.body),
    },
    {
        content: "it is refused at once",
        trigger: `.qfpay-scan-problem:contains("no payment code of")`,
    },
    scan("alipay", "password"),
    lineIs("waiting", "Alipay: The customer is entering the password"),
    amountIs(45.5),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_scan_used_code",
    begin(SCANNED),
    scan("wechat", "used"),
    {
        content: "another code is asked for",
        trigger: `.qfpay-scan-problem:contains("Ask for a new code")`,
    },
    amountIs(45.5),
    scan("wechat", "ok", []),
    ReceiptScreen.isShown()
);

addTour(
    "qfpay_scan_given_up",
    begin(SCANNED),
    click("give up", ".qfpay-stop-scan"),
    Dialog.isNot(),
    lineIs("retry", "Scan the customer's code."),
    click("remove the line", ".paymentline .delete-button"),
    PaymentScreen.clickPaymentMethod("Cash"),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown()
);

/** One of the two cups comes back. */
function giveOneBack(left) {
    return [
        Chrome.clickOrders(),
        TicketScreen.selectFilter("Paid"),
        TicketScreen.selectOrderByPrice("91.00"),
        ProductScreen.clickNumpad("1"),
        TicketScreen.toRefundTextContains("To Refund: 1"),
        TicketScreen.confirmRefund(),
        PaymentScreen.clickPaymentMethod(SHOWN),
        lineIs("ready", `QFPay can give back $ ${left} at most`),
        PaymentScreen.clickRefundButton(),
        ReceiptScreen.isShown(),
        ReceiptScreen.clickNextOrder(),
    ].flat();
}

addTour(
    "qfpay_code_refund",
    begin(SHOWN, 2),
    codeIsShown(),
    customer("pay"),
    ReceiptScreen.isShown(),
    ReceiptScreen.clickNextOrder(),
    giveOneBack("91.00"),
    giveOneBack("45.50")
);
