import { animationFrame, expect, test } from "@odoo/hoot";
import { click, edit, fill, press, queryAllTexts, queryOne, queryText } from "@odoo/hoot-dom";
import { advanceTime } from "@odoo/hoot-mock";
import { getService, mountWithCleanup, patchWithCleanup } from "@web/../tests/web_test_helpers";
import { BarcodeReader } from "@point_of_sale/app/services/barcode_reader_service";
import { PaymentScreen } from "@point_of_sale/app/screens/payment_screen/payment_screen";
import { MainComponentsContainer } from "@web/core/main_components_container";
import { definePosModels } from "@point_of_sale/../tests/unit/data/generate_model_definitions";
import { getFilledOrder, setupPosEnv } from "@point_of_sale/../tests/unit/utils";
import { defineCodeMethods, QFPayServer, SCAN_METHOD_ID, SHOW_METHOD_ID } from "./qfpay_server";

definePosModels();

const WECHAT_CODE = "134857901234588557";
const ALIPAY_CODE = "281234567890123456";
const CODE = ".qfpay-code-dialog .qfpay-code img";
const SCAN = ".qfpay-scan-dialog";

/** The payment screen of a till with a line on it, for which nothing was asked yet. */
async function setUpScreen(methodId) {
    defineCodeMethods();
    const server = new QFPayServer();
    const store = await setupPosEnv();
    store.config.auto_validate_terminal_payment = false;
    await mountWithCleanup(MainComponentsContainer);
    const order = await getFilledOrder(store);
    store.setOrder(order);
    store.router.state.current = "PaymentScreen";
    store.router.state.params = { orderUuid: order.uuid };
    const screen = await mountWithCleanup(PaymentScreen, { props: { orderUuid: order.uuid } });
    const line = order.addPaymentline(store.models["pos.payment.method"].get(methodId)).data;
    return { server, store, order, line, screen, amount: line.amount };
}

/** The same, after the cashier tapped the method and QFPay has given a code. */
async function setUpShown(values) {
    const till = await setUpScreen(SHOW_METHOD_ID);
    till.server.onStart = (uuid) => {
        till.server.shows(uuid, values);
        return { payment: till.server.known[uuid] };
    };
    till.screen.sendPaymentRequest(till.line);
    await seconds(0);
    return till;
}

async function setUpScan() {
    const till = await setUpScreen(SCAN_METHOD_ID);
    till.screen.sendPaymentRequest(till.line);
    await seconds(0);
    expect(SCAN).toHaveCount(1);
    return till;
}

/** Lets the time pass; with 0, only what is under way already. */
async function seconds(count) {
    for (let turn = 0; turn < 6; turn++) {
        await advanceTime(turn ? 0 : count * 1000);
        await animationFrame();
    }
}

const lineText = () => queryText(".qfpay-status .electronic_status");
const lineButtons = () => queryAllTexts(".qfpay-status button");

function scanner() {
    return new BarcodeReader(getService("barcode_reader")?.parser || { parse_barcode: fail }, {
        ...getService("barcode_reader"),
        dialog: getService("dialog"),
        notification: getService("notification"),
    });
}

function fail() {
    throw new Error("Odoo has read the customer's code");
}

// ---------------------------------------------------------------------------------- shown codes

test("the code is shown to cashier and customer, and gone when it is paid", async () => {
    const { server, line, amount } = await setUpShown();
    expect(CODE).toHaveCount(1);
    expect(queryText(".qfpay-code-dialog .modal-title")).toBe("Alipay");
    expect(queryText(".qfpay-code-amount")).toBe("$ 17.85");
    expect(queryText(".qfpay-time-left")).toMatch(/5:00|4:59/);
    expect(queryText(".qfpay-code-status")).toBe("Waiting for the customer to scan the code…");
    expect(".qfpay-hide-code").toBeFocused();
    const shown = JSON.parse(JSON.stringify(line.qrPaymentData));
    expect(shown.name).toBe("Alipay");
    expect(shown.qrCode).toMatch(/^data:image\/svg/);
    expect(shown.secondsLeft).toBeWithin(295, 300);
    await seconds(10);
    expect(queryText(".qfpay-time-left")).toMatch(/4:4\d|4:50/);
    expect(JSON.parse(JSON.stringify(line.qrPaymentData)).secondsLeft).toBeWithin(280, 290);
    server.knows(line.uuid, "done", { amount, transaction_id: "1", card_type: "Alipay" });
    await seconds(1);
    expect(".modal").toHaveCount(0);
    expect(line.qrPaymentData).toBe(null);
    expect(lineText()).toBe("Paid with Alipay.");
});

test("closing the dialog calls nothing off: the code can be shown again", async () => {
    const { server, line } = await setUpShown();
    await press("escape");
    await seconds(2);
    expect(".modal").toHaveCount(0);
    expect(server.count("cancel")).toBe(0);
    const told = line.qrPaymentData;
    expect(told.name).toBe("Alipay");
    expect(lineButtons()).toEqual(["Show the code", "Cancel"]);
    await click(".qfpay_show_code");
    await seconds(2);
    expect(CODE).toHaveCount(1);
    // the customer display too is told again: it may have been opened meanwhile
    expect(line.qrPaymentData).not.toBe(told);
    expect(line.qrPaymentData.name).toBe("Alipay");
});

test("no code yet: the line says so, and the dialog comes with the code", async () => {
    const { server, line } = await setUpShown({ state: "sent", qrcode: "" });
    expect(".modal").toHaveCount(0);
    expect(lineText()).toBe("Asking QFPay for a code…");
    server.shows(line.uuid);
    await seconds(1);
    expect(CODE).toHaveCount(1);
});

test("a code that got lost on its way is not waited for", async () => {
    await setUpShown({ qrcode: "", message: "Waiting…" });
    // QFPay is slow: it may know the order before its answer brings the code
    await seconds(10);
    expect(lineText()).toBe("Asking QFPay for a code…");
    expect(lineButtons()).toEqual(["Cancel"]);
    await seconds(10);
    expect(lineText()).toMatch(/did not arrive/);
    expect(lineButtons()).toEqual(["Cancel"]);
});

test("a code that runs out while it is shown is renewed, under a new attempt", async () => {
    const { server, line } = await setUpShown({ expires_in: 5 });
    const first = line.qrPaymentData.qrCode;
    server.shows(line.uuid, { expires_in: 0 });
    await seconds(5);
    expect(CODE).toHaveCount(0);
    expect(".qfpay-code-dialog").toHaveCount(1);
    expect(line.qrPaymentData).toBe(null);
    expect(queryText(".qfpay-code-status")).toMatch(/has run out/);
    expect(server.calls.some((call) => call.door === "status" && call.inquire)).toBe(true);
    server.letsRunOut(line.uuid);
    server.onStart = (uuid) => {
        server.shows(uuid, { reference: `${uuid}-2`, qrcode: "https://qr.alipay.com/bax02" });
        return { payment: server.known[uuid] };
    };
    await seconds(1);
    expect(server.count("start")).toBe(2);
    expect(line.payment_status).toBe("waitingCard");
    expect(CODE).toHaveCount(1);
    expect(line.qrPaymentData.qrCode).not.toBe(first);
    expect(queryText(".qfpay-time-left")).toMatch(/5:00|4:59/);
    server.approves(line.uuid);
    await seconds(1);
    expect(".modal").toHaveCount(0);
    expect(line.payment_status).toBe("done");
});

test("a code that nobody looks at any more is not renewed for ever", async () => {
    const { server, line } = await setUpShown();
    for (let turn = 0; turn < 15; turn++) {
        server.letsRunOut(line.uuid);
        await seconds(1);
    }
    expect(server.count("start")).toBe(12);
    expect(line.payment_status).toBe("retry");
    expect(".qfpay-code-dialog").toHaveCount(0);
});

test("what was asked before a renewal ends nothing after it", async () => {
    const { server, store, line } = await setUpShown();
    server.letsRunOut(line.uuid);
    const stale = server.hold("status");
    store.qfpay.askAgain(line.uuid);
    await seconds(0);
    server.held = {};
    server.onStart = (uuid) => {
        server.shows(uuid, { reference: `${uuid}-2` });
        return { payment: server.known[uuid] };
    };
    await seconds(1);
    expect(server.count("start")).toBe(2);
    stale.resolve();
    await seconds(1);
    expect(server.count("start")).toBe(2);
    expect(line.payment_status).toBe("waitingCard");
});

test("a code that runs out while nobody looks goes to retry", async () => {
    const { server, line } = await setUpShown();
    await press("escape");
    server.letsRunOut(line.uuid);
    await seconds(1);
    expect(server.count("start")).toBe(1);
    expect(line.payment_status).toBe("retry");
    expect(line.qrPaymentData).toBe(null);
    expect(lineButtons()).toEqual(["Retry"]);
});

test("Cancel takes the code away at once, everywhere, and calls off", async () => {
    const { server, line } = await setUpShown();
    await click(".qfpay-call-off");
    await seconds(0);
    expect(server.count("cancel")).toBe(1);
    expect(".modal").toHaveCount(0);
    expect(line.qrPaymentData).toBe(null);
    expect(line.payment_status).toBe("waitingCancel");
    expect(lineText()).toBe("Cancelling at QFPay…");
    server.knows(line.uuid, "cancelled", { message: "Called off." });
    await seconds(1);
    expect(line.payment_status).toBe("retry");
    expect(".modal").toHaveCount(0);
});

test("a wallet that cannot be called off: the code comes back only when it is asked for", async () => {
    const { server, line } = await setUpShown();
    await click(".qfpay-call-off");
    await seconds(0);
    server.shows(line.uuid, { message: "This payment cannot be called off." });
    await seconds(1);
    expect(line.payment_status).toBe("waitingCard");
    expect(".modal").toHaveCount(0);
    expect(line.qrPaymentData).toBe(null);
    expect(lineText()).toBe("This payment cannot be called off.");
    await click(".qfpay_show_code");
    await seconds(0);
    expect(CODE).toHaveCount(1);
    expect(line.qrPaymentData.name).toBe("Alipay");
    // so it is wanted again: nobody is warned
    server.approves(line.uuid);
    await seconds(1);
    expect(line.payment_status).toBe("done");
    expect(".modal").toHaveCount(0);
});

test("paid in the moment of calling off: the cashier is told", async () => {
    const { server, store, line } = await setUpShown();
    await click(".qfpay-call-off");
    await seconds(0);
    server.approves(line.uuid);
    await seconds(1);
    expect(line.payment_status).toBe("done");
    expect(queryText(".modal-body")).toMatch(/paid in the moment of cancelling/);
    // the facts are fetched after it, and take no news back
    store.qfpay.onNews({ payment_uuid: line.uuid, reference: `${line.uuid}-1`, state: "done" });
    await seconds(1);
    expect(queryText(".modal-body")).toMatch(/paid in the moment of cancelling/);
});

test("calling off while the next code is on its way reaches the new attempt", async () => {
    const { server, store, line } = await setUpShown();
    const starting = server.hold("start");
    server.letsRunOut(line.uuid);
    server.onStart = (uuid) => {
        server.shows(uuid, { reference: `${uuid}-2` });
        return { payment: server.known[uuid] };
    };
    await seconds(1);
    store.qfpay.callOff(line.uuid);
    await seconds(1);
    expect(server.count("cancel")).toBe(0);
    starting.resolve();
    await seconds(0);
    expect(server.count("cancel")).toBe(1);
    expect(".modal").toHaveCount(0);
    server.knows(line.uuid, "cancelled");
    await seconds(1);
    expect(line.payment_status).toBe("retry");
});

test("after a reload the code is there again; what ended in between shows nothing", async () => {
    const { server, store, line } = await setUpScreen(SHOW_METHOD_ID);
    localStorage.setItem("pos_payment_qfpay.sent_here", JSON.stringify([line.uuid]));
    server.shows(line.uuid, { expires_in: 120 });
    line.setPaymentStatus("waitingCard");
    await seconds(0);
    expect(CODE).toHaveCount(1);
    expect(queryText(".qfpay-time-left")).toMatch(/2:00|1:59/);
    server.letsRunOut(line.uuid, { can_renew: false });
    await seconds(1);
    expect(CODE).toHaveCount(0);
    expect(line.qrPaymentData).toBe(null);
    expect(Boolean(store.paymentTerminalInProgress)).toBe(false);
});

test("a till that did not begin the payment shows the code when it is asked to", async () => {
    const { server, line } = await setUpScreen(SHOW_METHOD_ID);
    server.shows(line.uuid);
    line.setPaymentStatus("waitingCard");
    await seconds(1);
    expect(".modal").toHaveCount(0);
    expect(Boolean(line.qrPaymentData)).toBe(false);
    await click(".qfpay_show_code");
    await seconds(0);
    expect(CODE).toHaveCount(1);
    expect(line.qrPaymentData.name).toBe("Alipay");
});

test("a payment by code leaves the terminal free for other orders", async () => {
    const { store, line } = await setUpShown();
    expect(line.payment_status).toBe("waitingCard");
    expect(Boolean(store.paymentTerminalInProgress)).toBe(false);
});

test("an unknown end can be asked about, called off or forced", async () => {
    const { server, line } = await setUpShown();
    await press("escape");
    server.knows(line.uuid, "unknown", { message: "The answer was lost." });
    await seconds(1);
    expect(lineButtons()).toEqual(["Ask again", "Force done", "Cancel"]);
    expect(line.qrPaymentData).toBe(null);
});

// ------------------------------------------------------------------------------ customers' codes

test("the customer's code comes first, is handed on, and is kept nowhere", async () => {
    const { server, store, order, line, amount } = await setUpScan();
    expect(server.calls).toEqual([]);
    expect(`${SCAN} input`).toBeFocused();
    expect(queryAllTexts(".qfpay-wallet")).toEqual(["WeChat Pay", "Alipay"]);
    await edit(`2812 3456 7890 1234 56`);
    await animationFrame();
    expect(queryText(".qfpay-wallet.text-bg-success")).toBe("Alipay");
    await press("enter");
    await seconds(0);
    expect(SCAN).toHaveCount(0);
    const { tap, asked_at: askedAt, ...asked } = server.calls[0];
    expect(asked).toEqual({
        door: "start",
        payment_uuid: line.uuid,
        auth_code: ALIPAY_CODE,
    });
    expect([tap.length, askedAt]).toEqual([36, null]);
    expect(line.amount).toBe(amount);
    const memory = JSON.stringify([
        line.serializeForIndexedDB(),
        order.uiState,
        store.qfpay.entries,
        { ...localStorage },
    ]);
    expect(memory).not.toInclude(ALIPAY_CODE);
    expect(lineText()).toBe("Alipay: Waiting for QFPay…");
});

test("the customer enters the password: the line says so, until it is paid", async () => {
    const { server, line } = await setUpScan();
    server.onStart = (uuid) => {
        const message = "The customer is entering the password…";
        server.knows(uuid, "pending", { mode: "scan", step: "password", message });
        return { payment: server.known[uuid] };
    };
    await edit(WECHAT_CODE);
    await press("enter");
    await seconds(0);
    expect(lineText()).toBe("WeChat Pay: The customer is entering the password…");
    expect(lineButtons()).toEqual(["Cancel"]);
    server.knows(line.uuid, "done", { transaction_id: "1", card_type: "WeChat Pay" });
    await seconds(1);
    expect(lineText()).toBe("Paid with WeChat Pay.");
});

test("what is no wallet's code is refused at once", async () => {
    const { server, line } = await setUpScan();
    for (const text of ["4891234567894", "https://example.com", "62123456789"]) {
        await edit(text);
        await press("enter");
        await animationFrame();
        expect(queryText(".qfpay-scan-problem")).toMatch(/no payment code of WeChat Pay or Alipay/);
    }
    expect(server.calls).toEqual([]);
    // the next scan takes its place
    await fill(ALIPAY_CODE);
    await press("enter");
    await seconds(0);
    expect(server.calls[0].auth_code).toBe(ALIPAY_CODE);
    expect(line.payment_status).toBe("waitingCard");
});

test("the scanner is heard whatever the nomenclature, and the amount is not touched", async () => {
    const { server, line, amount } = await setUpScan();
    const reader = scanner();
    patchWithCleanup(reader, { parser: { parse_barcode: fail } });
    await reader.scan("4891234567894");
    await animationFrame();
    expect(queryText(".qfpay-scan-problem")).toMatch(/no payment code/);
    await reader.scan(WECHAT_CODE);
    await seconds(0);
    expect(server.calls[0].auth_code).toBe(WECHAT_CODE);
    expect(line.amount).toBe(amount);
    // many scanners read twice
    await reader.scan(WECHAT_CODE);
    await seconds(0);
    expect(server.count("start")).toBe(1);
    expect(".o_notification").toHaveCount(0);
    server.approves(line.uuid);
    await seconds(1);
    // what is over takes no codes
    await expect(reader.scan(WECHAT_CODE)).rejects.toThrow(/has read/);
});

test("a scanner that sends no Enter is understood; a hand that types is left in peace", async () => {
    const { server } = await setUpScan();
    for (const digit of ALIPAY_CODE) {
        await press(digit);
        await advanceTime(5);
    }
    expect(server.calls).toEqual([]);
    await seconds(0.2);
    expect(server.calls[0].auth_code).toBe(ALIPAY_CODE);
});

test("a scan for the selected line charges it, without the dialog", async () => {
    const { server, line, amount } = await setUpScan();
    await press("escape");
    await seconds(0);
    expect(line.payment_status).toBe("retry");
    await scanner().scan(ALIPAY_CODE);
    await seconds(0);
    expect(server.calls[0].auth_code).toBe(ALIPAY_CODE);
    expect(line.payment_status).toBe("waitingCard");
    expect(line.amount).toBe(amount);
    expect(".modal").toHaveCount(0);
});

test("typing by hand is not taken for a scan", async () => {
    const { server } = await setUpScan();
    for (const digit of ALIPAY_CODE) {
        await press(digit);
        await advanceTime(300);
    }
    await seconds(1);
    expect(server.calls).toEqual([]);
    expect(SCAN).toHaveCount(1);
});

test("keys go to the input whatever has the focus", async () => {
    await setUpScan();
    queryOne(".qfpay-stop-scan").focus();
    await press("2");
    expect(`${SCAN} input`).toBeFocused();
});

test("giving up before the scan starts nothing and blames nobody", async () => {
    const { server, line } = await setUpScan();
    await click(".qfpay-stop-scan");
    await seconds(0);
    expect(server.calls).toEqual([]);
    expect(".modal").toHaveCount(0);
    expect(line.payment_status).toBe("retry");
    expect(lineText()).toBe("Scan the customer's code.");
    expect(lineButtons()).toEqual(["Scan"]);
    await click(".qfpay-status .send_payment_request");
    await seconds(0);
    expect(SCAN).toHaveCount(1);
});

test("asking twice opens one dialog and charges once", async () => {
    const { server, store, line } = await setUpScan();
    store.qfpay.send(line.uuid);
    await seconds(0);
    expect(SCAN).toHaveCount(1);
    await edit(ALIPAY_CODE);
    await press("enter");
    await seconds(0);
    expect(server.count("start")).toBe(1);
});

for (const [what, spoil] of [
    [
        "a used code",
        (server) => {
            server.onStart = (uuid) => {
                server.knows(uuid, "failed", { can_retry_code: true, message: "Code used." });
                return { payment: server.known[uuid] };
            };
        },
    ],
    [
        "a code that the server refuses",
        (server) => {
            server.onStart = () => ({ error: { code: "code", message: "Code used." } });
        },
    ],
]) {
    test(`${what} asks for another one, in a new attempt`, async () => {
        const { server, line } = await setUpScan();
        spoil(server);
        await edit(ALIPAY_CODE);
        await press("enter");
        await seconds(0);
        expect(".modal").toHaveCount(1);
        expect(queryText(".qfpay-scan-problem")).toBe("Code used.");
        delete server.onStart;
        delete server.known[line.uuid];
        await edit(WECHAT_CODE);
        await press("enter");
        await seconds(0);
        expect(server.calls.filter((call) => call.door === "start").at(-1).auth_code).toBe(
            WECHAT_CODE
        );
        expect(line.payment_status).toBe("waitingCard");
        server.approves(line.uuid);
        await seconds(1);
        expect(line.payment_status).toBe("done");
        expect(".modal").toHaveCount(0);
    });
}

test("a refund needs no code, and says what is left", async () => {
    const { server, store, order, line } = await setUpScreen(SCAN_METHOD_ID);
    const paidOrder = await getFilledOrder(store);
    const paid = paidOrder.addPaymentline(line.payment_method_id).data;
    paid.setPaymentStatus("done");
    server.knows(paid.uuid, "done", { refundable: 12.5 });
    line.setAmount(-line.amount);
    line.setPaymentStatus(undefined);
    order.is_refund = true;
    order.refunded_order_id = paidOrder;
    store.qfpay.onLineCreated(line);
    await seconds(0);
    expect(lineText()).toMatch(/give back .*12.50 at most/);
    store.qfpay.send(line.uuid);
    await seconds(0);
    expect(SCAN).toHaveCount(0);
    expect(server.count("start")).toBe(1);
    expect(server.calls.find((call) => call.door === "start").auth_code).toBe(undefined);
});

test("what is typed on the line of a refund is given back, never charged", async () => {
    const { order, line, screen } = await setUpScreen(SCAN_METHOD_ID);
    order.is_refund = true;
    line.setAmount(-40);
    line.setPaymentStatus("retry");
    for (const [typed, amount] of [
        ["3", -3],
        ["36.5", -36.5],
        ["-36.5", -36.5],
    ]) {
        screen.numberBuffer.set(typed);
        screen.updateSelectedPaymentline();
        expect(line.amount).toBe(amount);
    }
});

test("after a payment that failed, what is typed is a new amount", async () => {
    const { server, line, screen } = await setUpScreen(SHOW_METHOD_ID);
    server.onStart = () => ({ error: { code: "busy", message: "Not now." } });
    line.setAmount(16);
    // as typed: the buffer goes on with it
    screen.numberBuffer.set("1");
    screen.numberBuffer.state.buffer = "16";
    screen.sendPaymentRequest(line);
    await seconds(0);
    expect(queryText(".modal-body")).toBe("Not now.");
    await click(".modal .btn");
    await seconds(0);
    await click(".payment-screen .numpad button[value='5']");
    await seconds(1);
    expect(line.amount).toBe(5);
});

test("not paid is taken back when another till begins anew", async () => {
    const { server, line } = await setUpShown();
    server.knows(line.uuid, "failed", { message: "Refused by the wallet." });
    await seconds(1);
    expect(queryText(".modal-body")).toBe("Refused by the wallet.");
    server.shows(line.uuid, { reference: `${line.uuid}-2` });
    line.setPaymentStatus("waitingCard");
    await seconds(1);
    expect(".modal").toHaveCount(0);
    expect(lineText()).toBe("Waiting for the customer to scan the code…");
});

test("a method that is tapped twice asks once, and shows no error", async () => {
    const { server, order, line, screen } = await setUpScan();
    const method = line.payment_method_id;
    await screen.addNewPaymentLine(method);
    await seconds(0);
    expect(".modal").toHaveCount(1);
    await edit(ALIPAY_CODE);
    await press("enter");
    await seconds(0);
    await screen.addNewPaymentLine(method);
    await seconds(1);
    expect(".modal").toHaveCount(0);
    expect(server.count("start")).toBe(1);
    expect(order.payment_ids).toHaveLength(1);
    // tapped again after it failed: the same as Retry
    server.knows(line.uuid, "failed", { message: "Refused." });
    await seconds(1);
    await click(".modal .btn");
    await screen.addNewPaymentLine(method);
    await seconds(0);
    expect(SCAN).toHaveCount(1);
    expect(order.payment_ids).toHaveLength(1);
});
