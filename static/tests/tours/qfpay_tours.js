/* global posmodel */
import { delay } from "@web/core/utils/concurrency";
import { registry } from "@web/core/registry";
import * as Dialog from "@point_of_sale/../tests/generic_helpers/dialog_util";
import * as Chrome from "@point_of_sale/../tests/pos/tours/utils/chrome_util";
import * as PaymentScreen from "@point_of_sale/../tests/pos/tours/utils/payment_screen_util";
import * as ProductScreen from "@point_of_sale/../tests/pos/tours/utils/product_screen_util";
import * as ReceiptScreen from "@point_of_sale/../tests/pos/tours/utils/receipt_screen_util";
import * as TicketScreen from "@point_of_sale/../tests/pos/tours/utils/ticket_screen_util";
import { customerDoes, lineIs } from "@pos_payment_qfpay/../tests/tours/qfpay_steps";

const METHOD = "card_payment";

const customerPresses = (button) => customerDoes("lent_press", button);

function selectOnlyOrder() {
    return {
        content: "the order that is there",
        trigger: ".ticket-screen .order-row:only-child",
        run: "click",
    };
}

function startSale() {
    return [
        ProductScreen.addOrderline("Porcelain Cup"),
        ProductScreen.clickPayButton(),
        PaymentScreen.clickPaymentMethod(METHOD),
        lineIs("waiting", "Counter"),
    ].flat();
}

function addTour(name, ...steps) {
    registry.category("web_tour.tours").add(name, {
        steps: () => [Chrome.startPoS(), ...steps.map((step) => step()), Chrome.endTour()].flat(2),
    });
}

addTour("qfpay_sale", startSale, () => [customerPresses("approve"), ReceiptScreen.isShown()]);

addTour("qfpay_decline_and_retry", startSale, () => [
    customerPresses("decline"),
    Dialog.is({ title: "Not paid" }),
    {
        content: "close it from the keyboard",
        trigger: ".modal-footer button:focus",
        run: "press Enter",
    },
    Dialog.isNot(),
    lineIs("retry"),
    PaymentScreen.clickRetryButton(),
    lineIs("waiting"),
    customerPresses("approve"),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_call_off", startSale, () => [
    {
        content: "the order cannot be validated meanwhile",
        trigger: ".validation-button.next",
        run: "click",
    },
    Dialog.bodyIs("Wait until it has ended"),
    Dialog.confirm(),
    PaymentScreen.clickCancelButton(),
    lineIs("retry", "Cancelled."),
    Dialog.isNot(),
    { content: "remove the line", trigger: ".paymentline .delete-button", run: "click" },
    PaymentScreen.clickPaymentMethod("Cash"),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_remove_line", startSale, () => [
    {
        content: "a line that is not selected keeps its cross while the terminal waits",
        trigger: ".paymentline",
        run: () => posmodel.getOrder().selectPaymentline(undefined),
    },
    { content: "remove it", trigger: ".paymentline .delete-button", run: "click" },
    { content: "the line is gone", trigger: ".payment-screen:not(:has(.paymentline))" },
]);

addTour("qfpay_call_off_too_late", startSale, () => [
    customerPresses("approve"),
    PaymentScreen.clickCancelButton(),
    Dialog.is({ title: "The payment was approved" }),
    Dialog.confirm(),
    lineIs("done", "Paid with VISA"),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_answer_lost", startSale, () => [
    customerPresses("approve"),
    lineIs("unknown", "Do not charge again"),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_refund", startSale, () => [
    customerPresses("approve"),
    ReceiptScreen.isShown(),
    Chrome.clickOrders(),
    TicketScreen.selectFilter("Paid"),
    selectOnlyOrder(),
    TicketScreen.confirmRefund(),
    PaymentScreen.clickPaymentMethod(METHOD),
    PaymentScreen.clickRefundButton(),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_reload", startSale, () => [
    {
        content: "reload in the middle of the payment",
        trigger: ".payment-screen",
        run: () => window.location.reload(),
        expectUnloadPage: true,
    },
    lineIs("waiting", "Counter"),
    {
        content: "no other terminal payment can be started meanwhile",
        trigger: `.paymentmethod.opacity-50:contains("${METHOD}")`,
    },
    customerPresses("approve"),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_leave_and_come_back", startSale, () => [
    PaymentScreen.clickBack(),
    ProductScreen.isShown(),
    customerPresses("approve"),
    {
        content: "the result arrives on another screen, which stays",
        trigger: ".product-screen",
        async run() {
            const [line] = posmodel.getOrder().payment_ids;
            for (let patience = 80; !line.isDone() && patience; patience--) {
                await delay(100);
            }
        },
    },
    ProductScreen.clickPayButton(),
    lineIs("done", "Paid with VISA"),
    {
        content: "a paid line has no cross",
        trigger: ".paymentlines:not(:has(.delete-button))",
    },
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown(),
]);

addTour("qfpay_walk_away", startSale);

addTour("qfpay_second_till", () => [
    Chrome.clickOrders(),
    selectOnlyOrder(),
    TicketScreen.loadSelectedOrder(),
    lineIs("done", "Paid with VISA"),
    PaymentScreen.clickValidate(),
    ReceiptScreen.isShown(),
]);
