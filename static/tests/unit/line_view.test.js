import { animationFrame, expect, test } from "@odoo/hoot";
import { queryAllTexts, queryText } from "@odoo/hoot-dom";
import { allowTranslations, mountWithCleanup } from "@web/../tests/web_test_helpers";
import { PaymentScreen } from "@point_of_sale/app/screens/payment_screen/payment_screen";
import { definePosModels } from "@point_of_sale/../tests/unit/data/generate_model_definitions";
import { getFilledOrder, setupPosEnv } from "@point_of_sale/../tests/unit/utils";
import { lineView } from "@pos_payment_qfpay/app/utils/line_view";
import { defineQFPayMethod, QFPAY_METHOD_ID, QFPayServer } from "./qfpay_server";

definePosModels();

/** As much of a payment line as its text depends on. */
function lineOf(payment_status, values = {}) {
    return {
        payment_status,
        payment_method_id: { use_payment_terminal: "qfpay_ecr" },
        amount: 10,
        getAmount() {
            return this.amount;
        },
        getPaymentStatus() {
            return this.payment_status;
        },
        ...values,
    };
}

const known = (state, values = {}) => ({ known: { state, terminal: "Counter 1", ...values } });

test("every situation has its words and its buttons", () => {
    allowTranslations();
    const cases = [
        // status, entry, state, text, buttons
        ["pending", {}, "ready", "Ready to be sent to the terminal.", ["send"]],
        ["waiting", {}, "starting", "Asking the server…", []],
        ["waiting", { starting: true }, "starting", "Asking the server…", []],
        ["waitingCard", known("sent"), "waiting", "Waiting for the card on Counter 1…", ["cancel"]],
        ["waitingCard", known("pending", { message: "Tap." }), "waiting", "Tap.", ["cancel"]],
        [
            "waitingCancel",
            known("pending", { cancelling: true }),
            "cancelling",
            "Cancelling on Counter 1…",
            [],
        ],
        [
            "waitingCancel",
            { ...known("sent"), callingOff: true },
            "cancelling",
            "Cancelling on Counter 1…",
            [],
        ],
        ["waitingCard", known("unknown"), "unknown", /Asking QFPay/, ["ask", "force"]],
        [
            "waitingCard",
            { ...known("sent"), unreachable: true },
            "unreachable",
            /Do not charge again/,
            ["ask", "force"],
        ],
        ["retry", {}, "retry", "Nothing was paid.", ["retry"]],
        ["retry", known("failed", { message: "Declined." }), "retry", "Declined.", ["retry"]],
        ["done", {}, "done", "Paid.", []],
        ["done", { forced: true }, "done", "Recorded as done, not confirmed by QFPay.", []],
    ];
    for (const [status, entry, state, text, buttons] of cases) {
        const view = lineView(lineOf(status), entry);
        expect(view.state).toBe(state);
        expect(view.text).toMatch(text);
        expect(view.buttons).toEqual(buttons);
        expect(view.busy).toBe(status.startsWith("waiting"));
    }
});

test("a refund cannot be called off, and a refund that was not sent has core's button", () => {
    allowTranslations();
    const refund = { amount: -10 };
    expect(lineView(lineOf("waitingCard", refund), known("sent"))).toEqual({
        state: "waiting",
        text: "Refunding on Counter 1…",
        buttons: [],
        busy: true,
        locked: true,
    });
    expect(lineView(lineOf(undefined, refund))).toBe(null);
});

test("a paid line names the card", () => {
    allowTranslations();
    const paid = { card_brand: "VISA", card_no: "1096", transaction_id: "1" };
    expect(lineView(lineOf("done", paid)).text).toBe("Paid with VISA 1096.");
    expect(lineView(lineOf("done", { ...paid, amount: -5 })).text).toBe("Refunded to VISA 1096.");
});

test("what the manager will see as unconfirmed says so after a reload too", () => {
    allowTranslations();
    const line = lineOf("done", { qfpay_confirmation: "unconfirmed" });
    expect(lineView(line).text).toBe("Recorded as done, not confirmed by QFPay.");
});

test("the payment screen shows it, for QFPay's lines only", async () => {
    defineQFPayMethod();
    const server = new QFPayServer();
    const store = await setupPosEnv();
    const order = await getFilledOrder(store);
    await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    const line = order.addPaymentline(store.models["pos.payment.method"].get(QFPAY_METHOD_ID)).data;
    await animationFrame();
    expect(queryText(".qfpay-status .electronic_status")).toBe("Ready to be sent to the terminal.");
    expect(queryAllTexts(".electronic_payment button")).toEqual(["Send"]);
    server.knows(line.uuid, "pending", { message: "Waiting for the card on Counter 1." });
    line.setPaymentStatus("waitingCard");
    await store.qfpay.resume();
    await animationFrame();
    expect(queryAllTexts(".electronic_status")).toEqual(["Waiting for the card on Counter 1."]);
    expect(queryAllTexts(".electronic_payment button")).toEqual(["Cancel"]);
    expect(".qfpay-status .fa-spin").toHaveCount(1);
    order.selectPaymentline(undefined);
    await animationFrame();
    expect(".qfpay-status").toHaveCount(1);
});
