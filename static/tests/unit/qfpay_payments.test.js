import { advanceTime, animationFrame, expect, test } from "@odoo/hoot";
import { click, queryAll, queryAllTexts, queryText } from "@odoo/hoot-dom";
import { mountWithCleanup } from "@web/../tests/web_test_helpers";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { PaymentScreen } from "@point_of_sale/app/screens/payment_screen/payment_screen";
import OrderPaymentValidation from "@point_of_sale/app/utils/order_payment_validation";
import { definePosModels } from "@point_of_sale/../tests/unit/data/generate_model_definitions";
import { getFilledOrder, setupPosEnv } from "@point_of_sale/../tests/unit/utils";
import { lineView } from "@pos_payment_qfpay/app/utils/line_view";
import { defineQFPayMethod, QFPAY_METHOD_ID, QFPayServer } from "./qfpay_server";

definePosModels();

/** A till with an order and an empty QFPay line on it. */
async function setUpLine() {
    defineQFPayMethod();
    const server = new QFPayServer();
    const store = await setupPosEnv();
    store.config.auto_validate_terminal_payment = false;
    await mountWithCleanup(MainComponentsContainer);
    const order = await getFilledOrder(store);
    const method = store.models["pos.payment.method"].get(QFPAY_METHOD_ID);
    const line = order.addPaymentline(method).data;
    return { server, store, order, line, amount: line.amount };
}

/** The same, after the money was asked for and the server said that the terminal waits. */
async function setUpWaiting() {
    const till = await setUpLine();
    till.end = payAndWatch(till.line);
    await seconds(0);
    expect(till.line.payment_status).toBe("waitingCard");
    return till;
}

/** `pay()`, with what came of it put where a test can look without waiting for it. */
function payAndWatch(line) {
    const end = { result: "pending" };
    line.pay().then(
        (result) => (end.result = result),
        (error) => (end.result = error)
    );
    return end;
}

/** Lets the time pass; with 0, only what is under way already. */
async function seconds(count) {
    for (let turn = 0; turn < 5; turn++) {
        await advanceTime(turn ? 0 : count * 1000);
        await animationFrame();
    }
}

const texts = () => queryAllTexts(".modal-body").join(" ");

test("the order is on the server before the money is asked for", async () => {
    const { server, line, order } = await setUpLine();
    const end = payAndWatch(line);
    await seconds(0);
    expect(server.calls.map((call) => call.door)).toEqual(["start"]);
    expect(server.calls[0].payment_uuid).toBe(line.uuid);
    expect(Object.keys(server.calls[0])).toEqual(["door", "payment_uuid", "tap", "asked_at"]);
    expect(order.isSynced).toBe(true);
    expect(line.isSynced).toBe(true);
    expect(line.payment_status).toBe("waitingCard");
    expect(end.result).toBe("pending");
});

test("done: the line takes the facts over and is paid", async () => {
    const { server, line, end, amount } = await setUpWaiting();
    server.approves(line.uuid, amount);
    await seconds(1);
    expect(end.result).toBe(true);
    expect(line.payment_status).toBe("done");
    expect(line.transaction_id).toBe("20261121000100020000001");
    expect(line.payment_ref_no).toBe("632600001");
    expect([line.card_brand, line.card_no, line.card_type]).toEqual(["VISA", "1096", "CREDIT"]);
    expect(line.amount).toBe(amount);
});

test("done with another amount: the line is worth what QFPay has moved", async () => {
    const { server, line, end, amount } = await setUpWaiting();
    server.approves(line.uuid, amount - 1);
    await seconds(1);
    expect(end.result).toBe(true);
    expect(line.amount).toBe(amount - 1);
});

test("an amount that is typed while the order is sent is not asked for", async () => {
    const { server, store, line, order } = await setUpLine();
    const sync = store.syncAllOrders.bind(store);
    store.syncAllOrders = async (...args) => {
        const result = await sync(...args);
        line.setAmount(line.amount - 1);
        return result;
    };
    const end = payAndWatch(line);
    await seconds(1);
    expect(server.count("start")).toBe(0);
    expect(end.result).toBe(false);
    expect(line.payment_status).toBe("retry");
    expect(order.payment_ids).toHaveLength(1);
});

test("a line cannot be removed while it is being cancelled", async () => {
    const { server, store, line, order } = await setUpWaiting();
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    store.qfpay.callOff(line.uuid);
    await seconds(1);
    expect(line.payment_status).toBe("waitingCancel");
    expect(lineView(line, store.qfpay.entries[line.uuid]).locked).toBe(true);
    screen.deletePaymentLine(line.uuid);
    await seconds(1);
    expect(order.payment_ids).toHaveLength(1);
    server.knows(line.uuid, "cancelled", { message: "Cancelled." });
    await seconds(1);
    expect(order.payment_ids).toHaveLength(0);
});

test("a bus message makes it ask at once", async () => {
    const { server, store, line, end } = await setUpWaiting();
    server.knows(line.uuid, "failed", { message: "Declined." });
    store.qfpay.onNews({ payment_uuid: "another", state: "failed" });
    await seconds(0);
    expect(end.result).toBe("pending");
    store.qfpay.onNews({ payment_uuid: line.uuid, state: "failed" });
    await seconds(0);
    expect(end.result).toBe(false);
});

test("a bus message that says done makes the line done, the facts follow", async () => {
    const { server, store, line, end, amount } = await setUpWaiting();
    server.approves(line.uuid, amount);
    const held = server.hold("status");
    store.qfpay.onNews({ payment_uuid: line.uuid, reference: `${line.uuid}-1`, state: "done" });
    await seconds(0);
    expect(end.result).toBe(true);
    expect(line.payment_status).toBe("done");
    expect(line.amount).toBe(amount);
    held.resolve();
    await seconds(0);
    expect(line.payment_status).toBe("done");
    expect(line.transaction_id).toBe("20261121000100020000001");
    expect([line.card_brand, line.card_no, line.card_type]).toEqual(["VISA", "1096", "CREDIT"]);
});

test("failed: the line can be retried, the reason is told, a retry is a new start", async () => {
    const { server, line, end } = await setUpWaiting();
    server.knows(line.uuid, "failed", { message: "The card was declined. Try another card." });
    await seconds(1);
    expect(end.result).toBe(false);
    expect(line.payment_status).toBe("retry");
    expect(texts()).toMatch(/The card was declined/);
    delete server.known[line.uuid];
    const again = payAndWatch(line);
    await seconds(0);
    expect(server.count("start")).toBe(2);
    expect(line.payment_status).toBe("waitingCard");
    server.approves(line.uuid);
    await seconds(1);
    expect(again.result).toBe(true);
});

test("refused by the server: nothing was started, its sentence is shown", async () => {
    const { server, line } = await setUpLine();
    server.onStart = () => ({ error: { code: "busy", message: "Busy with Till 2." } });
    const end = payAndWatch(line);
    await seconds(0);
    expect(end.result).toBe(false);
    expect(line.payment_status).toBe("retry");
    expect(texts()).toMatch(/Busy with Till 2/);
    expect(server.count("status")).toBe(0);
});

test("the order cannot be sent: no money is asked for", async () => {
    const { server, store, line } = await setUpLine();
    store.data.network.offline = true;
    const end = payAndWatch(line);
    await seconds(0);
    expect(end.result).toBe(false);
    expect(server.calls).toEqual([]);
    expect(texts()).toMatch(/could not be sent to the server/);
    store.data.network.offline = false;
    payAndWatch(line);
    await seconds(0);
    expect(server.count("start")).toBe(1);
});

test("unknown is never a retry, however long it takes", async () => {
    const { server, line, end } = await setUpWaiting();
    server.knows(line.uuid, "unknown", { message: "Asking QFPay." });
    for (let minute = 0; minute < 10; minute++) {
        await seconds(60);
        expect(line.payment_status).toBe("waitingCard");
        expect(end.result).toBe("pending");
    }
    server.approves(line.uuid);
    await seconds(15);
    expect(end.result).toBe(true);
});

test("a server that does not answer ends nothing, and is asked less and less often", async () => {
    const { server, store, line, end } = await setUpWaiting();
    server.loseAnswers("status");
    await seconds(2);
    expect(store.qfpay.entries[line.uuid].unreachable).toBe(true);
    const before = server.count("status");
    for (let turn = 0; turn < 12; turn++) {
        await seconds(5);
    }
    expect(server.count("status") - before).toBeLessThan(10);
    expect(line.payment_status).toBe("waitingCard");
    expect(end.result).toBe("pending");
    server.loseAnswers("status", false);
    server.approves(line.uuid);
    await seconds(15);
    expect(end.result).toBe(true);
});

test("the answer to start is lost: the server is asked what it knows", async () => {
    const { server, line } = await setUpLine();
    server.loseAnswers("start");
    const end = payAndWatch(line);
    await seconds(0);
    expect(end.result).toBe("pending");
    await seconds(1);
    expect(line.payment_status).toBe("waitingCard");
    server.approves(line.uuid);
    await seconds(1);
    expect(end.result).toBe(true);
    expect(server.count("start")).toBe(1);
});

test("start never arrived: nothing was sent, once the server has said so twice", async () => {
    const { server, line } = await setUpLine();
    server.loseAnswers("start");
    server.onStart = () => ({});
    const end = payAndWatch(line);
    await seconds(0);
    await seconds(1);
    expect(end.result).toBe("pending");
    await seconds(1);
    expect(server.count("status")).toBe(2);
    expect(end.result).toBe(false);
    expect(line.payment_status).toBe("retry");
});

test("a start that is never answered at all is asked about after a while", async () => {
    const { server, line } = await setUpLine();
    server.hold("start");
    const end = payAndWatch(line);
    await seconds(0);
    await seconds(15);
    server.approves(line.uuid);
    await seconds(2);
    expect(end.result).toBe(true);
});

test("a server that forgets a payment has not said that it failed", async () => {
    const { server, line, end } = await setUpWaiting();
    const known = server.known[line.uuid];
    delete server.known[line.uuid];
    await seconds(5);
    await seconds(5);
    expect(end.result).toBe("pending");
    expect(line.payment_status).toBe("waitingCard");
    server.known[line.uuid] = { ...known, state: "cancelled" };
    await seconds(1);
    expect(end.result).toBe(false);
});

test("calling off: the line waits until it is certain", async () => {
    const { server, store, line, end } = await setUpWaiting();
    const calledOff = { result: "pending" };
    store.qfpay.callOff(line.uuid).then((result) => (calledOff.result = result));
    await seconds(2);
    expect(line.payment_status).toBe("waitingCancel");
    expect([calledOff.result, end.result]).toEqual(["pending", "pending"]);
    server.knows(line.uuid, "cancelled", { message: "Called off." });
    await seconds(1);
    expect([calledOff.result, end.result]).toEqual([true, false]);
    expect(line.payment_status).toBe("retry");
    expect(queryAll(".modal")).toHaveLength(0);
});

test("approved in the moment of calling off: the line is paid and stays", async () => {
    const { server, store, order, line, end } = await setUpWaiting();
    store.config.auto_validate_terminal_payment = true;
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    screen.deletePaymentLine(line.uuid);
    await seconds(0);
    server.approves(line.uuid);
    await seconds(1);
    expect(end.result).toBe(true);
    expect(order.payment_ids.map((payment) => payment.uuid)).toEqual([line.uuid]);
    expect(line.payment_status).toBe("done");
    expect(texts()).toMatch(/paid in the moment of cancelling/);
    expect(order.state).toBe("draft");
});

test("the terminal refuses the calling off: the payment goes on", async () => {
    const { server, store, line, end } = await setUpWaiting();
    const question = server.hold("status");
    await seconds(1); // a question is under way that cannot know of the calling off
    const calledOff = store.qfpay.callOff(line.uuid);
    await seconds(0);
    question.resolve();
    server.held = {};
    await seconds(0);
    expect(line.payment_status).toBe("waitingCancel");
    server.knows(line.uuid, "sent", { message: "Not called off: the card is being read." });
    await seconds(1);
    expect(await calledOff).toBe(false);
    expect(line.payment_status).toBe("waitingCard");
    expect(end.result).toBe("pending");
    server.approves(line.uuid);
    await seconds(1);
    expect(end.result).toBe(true);
});

test("removing a line calls its payment off first", async () => {
    const { server, order, line } = await setUpWaiting();
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    screen.deletePaymentLine(line.uuid);
    await seconds(1);
    expect(order.payment_ids).toHaveLength(1);
    server.knows(line.uuid, "cancelled");
    await seconds(1);
    expect(order.payment_ids).toHaveLength(0);
});

test("a paid line cannot be removed, nor its order", async () => {
    const { server, store, order, line } = await setUpWaiting();
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    expect(await store._onBeforeDeleteOrder(order)).toBe(false);
    server.approves(line.uuid);
    await seconds(1);
    screen.deletePaymentLine(line.uuid);
    expect(order.payment_ids).toHaveLength(1);
    expect(await store._onBeforeDeleteOrder(order)).toBe(false);
    await seconds(0);
    expect(texts()).toMatch(/still at work.*make a refund.*has moved the money/s);
});

test("an order with an open payment is not validated", async () => {
    const { store, order } = await setUpWaiting();
    const validation = new OrderPaymentValidation({ pos: store, orderUuid: order.uuid });
    expect(await validation.isOrderValid(false)).toBe(false);
    await seconds(0);
    expect(texts()).toMatch(/Wait until it has ended/);
    expect(order.payment_ids).toHaveLength(1);
});

test("force done asks QFPay once more, and believes it", async () => {
    const { server, store, line, end } = await setUpWaiting();
    server.knows(line.uuid, "unknown");
    await seconds(1);
    server.approves(line.uuid);
    await store.qfpay.forceDone(line.uuid);
    await seconds(0);
    expect(server.calls.at(-1).inquire).toBe(true);
    expect(end.result).toBe(true);
    expect(line.transaction_id).not.toBe("");
    expect(queryAll(".modal")).toHaveLength(0);
});

test("force done waits until QFPay was asked, whichever server asks", async () => {
    const { server, store, line } = await setUpWaiting();
    server.knows(line.uuid, "unknown", { asked: 4 });
    await seconds(1);
    store.qfpay.forceDone(line.uuid);
    await seconds(2);
    expect(queryAll(".modal")).toHaveLength(0);
    server.knows(line.uuid, "unknown", { asked: 5 });
    await seconds(1);
    expect(queryAll(".modal")).toHaveLength(1);
});

test("a start that nobody has heard of cannot come any more when it counts as never made", async () => {
    const { server, line } = await setUpLine();
    server.loseAnswers("start");
    server.onStart = () => ({});
    const end = payAndWatch(line);
    await seconds(1);
    const { tap } = server.calls.find((call) => call.door === "start");
    server.loseAnswers("cancel");
    await seconds(3);
    expect(end.result).toBe("pending");
    server.loseAnswers("cancel", false);
    await seconds(3);
    expect(server.calls.findLast((call) => call.door === "cancel").tap).toBe(tap);
    expect(end.result).toBe(false);
    server.loseAnswers("start", false);
    payAndWatch(line);
    await seconds(0);
    expect(server.calls.findLast((call) => call.door === "start").tap).not.toBe(tap);
});

test("a start that comes after all is followed", async () => {
    const { server, line } = await setUpLine();
    server.loseAnswers("start");
    server.onStart = () => ({});
    const end = payAndWatch(line);
    server.onCancel = (uuid) => {
        server.knows(uuid, "sent");
        return { payment: server.known[uuid] };
    };
    await seconds(3);
    expect(end.result).toBe("pending");
    server.approves(line.uuid, line.amount);
    await seconds(1);
    expect(end.result).toBe(true);
});

test("a start says when the cashier tapped, by the server's clock", async () => {
    const { server, store, line } = await setUpLine();
    server.now = 1_000_000;
    await store.qfpay.askAgain(line.uuid);
    payAndWatch(line);
    await seconds(0);
    const { asked_at: askedAt } = server.calls.find((call) => call.door === "start");
    expect(askedAt).toBeGreaterThan(999_999);
    expect(askedAt).toBeLessThan(1_000_060);
});

test("a removed line that was paid after all is told, once", async () => {
    const { server, store, line, order } = await setUpWaiting();
    const { uuid } = line;
    server.knows(uuid, "failed", { message: "Declined." });
    await seconds(1);
    await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    await click(".modal .btn-primary");
    await seconds(0);
    store.qfpay.onLineRemoved(line, order);
    order.removePaymentline(line);
    const news = { payment_uuid: uuid, reference: `${uuid}-1`, state: "done" };
    store.qfpay.onNews(news);
    await seconds(0);
    store.qfpay.onNews(news);
    await seconds(0);
    expect(texts().match(/the money moved/g)).toHaveLength(1);
    store.qfpay.onNews({ payment_uuid: "nobody's", state: "done" });
    await seconds(0);
    expect(queryAll(".modal")).toHaveLength(1);
});

test("what QFPay took back is open again, and the cashier is told", async () => {
    const { server, store, line, amount } = await setUpWaiting();
    server.approves(line.uuid, amount);
    await seconds(1);
    expect(line.payment_status).toBe("done");
    server.knows(line.uuid, "reversed", { message: "QFPay took this payment back." });
    store.qfpay.onNews({ payment_uuid: line.uuid, state: "reversed" });
    await seconds(0);
    expect(line.payment_status).toBe("retry");
    expect(texts()).toMatch(/took this payment back/);
});

test("force done needs a confirmation, and late answers do not open the line again", async () => {
    const { server, store, line, end } = await setUpWaiting();
    server.knows(line.uuid, "unknown");
    await seconds(1);
    store.qfpay.forceDone(line.uuid);
    await seconds(0);
    expect(texts()).toMatch(/recorded as unconfirmed/);
    expect(line.payment_status).toBe("waitingCard");
    await click(".modal-footer .btn-secondary");
    await seconds(0);
    expect(end.result).toBe(true);
    expect(line.payment_status).toBe("done");
    server.knows(line.uuid, "failed", { message: "Declined." });
    await seconds(15);
    expect(line.payment_status).toBe("done");
    expect(texts()).toMatch(/was not made/);
    expect(line.handlePaymentResponse(false)).toBe(true);
    expect(line.payment_status).toBe("done");
});

test("a late success fills the facts of a line that was forced", async () => {
    const { server, store, line } = await setUpWaiting();
    server.loseAnswers("status");
    await seconds(1);
    store.qfpay.forceDone(line.uuid);
    await seconds(0);
    await click(".modal-footer .btn-secondary");
    await seconds(0);
    expect(line.payment_status).toBe("done");
    expect(store.paymentTerminalInProgress).toBe(false);
    server.loseAnswers("status", false);
    server.approves(line.uuid);
    await seconds(15);
    expect(line.payment_status).toBe("done");
    expect(line.card_no).toBe("1096");
});

test("the answer comes while the cashier thinks about forcing", async () => {
    const { server, store, line } = await setUpWaiting();
    server.knows(line.uuid, "unknown");
    await seconds(1);
    const forcing = store.qfpay.forceDone(line.uuid);
    await seconds(0);
    expect(queryAll(".modal")).toHaveLength(1);
    server.knows(line.uuid, "failed", { message: "Declined." });
    await seconds(1);
    await forcing;
    expect(line.payment_status).toBe("retry");
    expect(queryText(".modal-body")).toBe("Declined.");
});

test("a reload takes open payments up again and keeps terminals blocked until then", async () => {
    const { server, store, line } = await setUpLine();
    localStorage.setItem("pos_payment_qfpay.sent_here", JSON.stringify([line.uuid]));
    line.setPaymentStatus("waitingCard");
    server.knows(line.uuid, "pending");
    await store.qfpay.resume();
    expect(store.paymentTerminalInProgress).toBe(true);
    server.approves(line.uuid);
    await seconds(1);
    expect(line.payment_status).toBe("done");
    expect(line.card_brand).toBe("VISA");
    expect(store.paymentTerminalInProgress).toBe(false);
});

test("another till's open payment blocks no terminal here", async () => {
    const { server, store, line } = await setUpLine();
    line.setPaymentStatus("waitingCard");
    server.knows(line.uuid, "pending");
    await seconds(0);
    expect(store.qfpay.watches.size).toBe(1);
    expect(Boolean(store.paymentTerminalInProgress)).toBe(false);
});

test("the server knows more than the till: a line to be retried was paid after all", async () => {
    const { server, store, line } = await setUpLine();
    line.setPaymentStatus("retry");
    server.approves(line.uuid);
    await store.qfpay.resume();
    expect(line.payment_status).toBe("done");
    expect(line.card_brand).toBe("VISA");
});

test("a copy of the order from before does not open a paid line again", async () => {
    const { server, line } = await setUpWaiting();
    server.approves(line.uuid);
    await seconds(1);
    line.setPaymentStatus("waitingCard");
    expect(line.payment_status).toBe("done");
});

test("asking twice starts once", async () => {
    const { server, store, line } = await setUpLine();
    const first = store.qfpay.send(line.uuid);
    const second = store.qfpay.send(line.uuid);
    await seconds(0);
    expect(server.count("start")).toBe(1);
    server.approves(line.uuid);
    await seconds(1);
    expect(await Promise.all([first, second])).toEqual([true, true]);
});

test("a refund waits like a payment, and cannot be called off", async () => {
    const { server, store, order, line } = await setUpLine();
    line.setAmount(-line.amount);
    const end = payAndWatch(line);
    await seconds(0);
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    screen.deletePaymentLine(line.uuid);
    await seconds(0);
    expect(server.count("cancel")).toBe(0);
    expect(order.payment_ids).toHaveLength(1);
    expect(texts()).toMatch(/being given back/);
    server.approves(line.uuid, line.amount);
    await seconds(1);
    expect(end.result).toBe(true);
    expect(store.paymentTerminalInProgress).toBe(false);
});

test("the payment screen validates a paid order by itself when the till is set so", async () => {
    const { server, store, order, line } = await setUpWaiting();
    store.config.auto_validate_terminal_payment = true;
    await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    server.approves(line.uuid);
    await seconds(1);
    await seconds(0);
    expect(order.state).toBe("paid");
});

test("an order is not validated from the payment screen of another one", async () => {
    const { server, store, order, line } = await setUpWaiting();
    store.config.auto_validate_terminal_payment = true;
    const other = await getFilledOrder(store);
    await mountWithCleanup(PaymentScreen, { props: { orderUuid: other.uuid } });
    server.approves(line.uuid);
    await seconds(1);
    expect(line.payment_status).toBe("done");
    expect(order.state).toBe("draft");
    expect(queryText(".o_notification")).toMatch(/the payment was approved/);
});
