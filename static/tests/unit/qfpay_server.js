import { Deferred } from "@odoo/hoot-mock";
import { onRpc } from "@web/../tests/web_test_helpers";
import { patch } from "@web/core/utils/patch";
import { PosConfig } from "@point_of_sale/../tests/unit/data/pos_config.data";
import { PosPaymentMethod } from "@point_of_sale/../tests/unit/data/pos_payment_method.data";

/** The ids of the QFPay methods that are added to the shop. */
export const QFPAY_METHOD_ID = 901;
export const SHOW_METHOD_ID = 902;
export const SCAN_METHOD_ID = 903;

patch(PosPaymentMethod.prototype, {
    _load_pos_data_fields() {
        return [...super._load_pos_data_fields(), "qfpay_mode", "qfpay_code_forms"];
    },
});

function addMethod(id, values) {
    PosPaymentMethod._records.push({
        id,
        is_cash_count: false,
        split_transactions: false,
        type: "bank",
        image: false,
        sequence: 3,
        payment_method_type: "terminal",
        default_qr: false,
        ...values,
    });
    PosConfig._records[0].payment_method_ids.push(id);
}

/** A shop whose till takes QFPay; only for the test that calls it, other suites count methods. */
export function defineQFPayMethod() {
    addMethod(QFPAY_METHOD_ID, { name: "Visa/Mastercard", use_payment_terminal: "qfpay_ecr" });
}

/** The same without a terminal: one method that shows a code, and one that scans the customer's. */
export function defineCodeMethods() {
    addMethod(SHOW_METHOD_ID, {
        name: "Alipay code",
        use_payment_terminal: "qfpay_openapi",
        qfpay_mode: "show",
        qfpay_code_forms: [],
    });
    addMethod(SCAN_METHOD_ID, {
        name: "Scan wallet",
        use_payment_terminal: "qfpay_openapi",
        qfpay_mode: "scan",
        qfpay_code_forms: [
            ["WeChat Pay", "1[0-5][0-9]{16}"],
            ["Alipay", "(?:2[5-9]|30)[0-9]{14,22}"],
        ],
    });
}

/**
 * The three doors of the server, at the level of HTTP. Tests set what the server knows of a line,
 * and may take a door away or hold its answer back.
 */
export class QFPayServer {
    constructor() {
        this.known = {};
        this.calls = [];
        this.dead = new Set();
        this.held = {};
        // the server's clock in seconds; undefined: it does not tell
        this.now = undefined;
        for (const door of ["start", "status", "cancel"]) {
            onRpc(`/pos_payment_qfpay/${door}`, (request) => this.handle(door, request));
        }
    }

    /** What the server knows of a line from now on. */
    knows(uuid, state, values = {}) {
        this.known[uuid] = {
            payment_uuid: uuid,
            reference: `${uuid}-1`,
            kind: "payment",
            state,
            cancelling: false,
            message: "",
            amount: 0,
            transaction_id: "",
            payment_ref_no: "",
            card_brand: "",
            card_no: "",
            card_type: "",
            terminal: "Counter 1",
            attention: false,
            ...values,
        };
    }

    /** QFPay has an order for a code, and waits for the customer. */
    shows(uuid, values = {}) {
        this.knows(uuid, "pending", {
            mode: "show",
            qrcode: "https://qr.alipay.com/bax01",
            wallet: "Alipay",
            expires_in: 300,
            message: "Waiting for the customer to scan the code…",
            ...values,
        });
    }

    /** The code was not paid in its time. */
    letsRunOut(uuid, values = {}) {
        this.knows(uuid, "failed", {
            mode: "show",
            can_renew: true,
            message: "Ran out.",
            ...values,
        });
    }

    approves(uuid, amount = 0) {
        this.knows(uuid, "done", {
            amount,
            transaction_id: "20261121000100020000001",
            payment_ref_no: "632600001",
            card_brand: "VISA",
            card_no: "1096",
            card_type: "CREDIT",
        });
    }

    /** What /start and /cancel answer, when it is not the state that `knows` set. */
    onStart(uuid) {
        if (!this.known[uuid]) {
            this.knows(uuid, "sent");
        }
        return { payment: this.known[uuid] };
    }

    onCancel(uuid) {
        if (!this.known[uuid]) {
            return { payment: { payment_uuid: uuid, state: "none" } };
        }
        this.known[uuid].cancelling = true;
        return { payment: this.known[uuid] };
    }

    /** The server works, but the answers of this door get lost. */
    loseAnswers(door, isLost = true) {
        this.dead[isLost ? "add" : "delete"](door);
    }

    /** The answers of this door wait until the returned deferred is resolved. */
    hold(door) {
        return (this.held[door] = new Deferred());
    }

    count(door) {
        return this.calls.filter((call) => call.door === door).length;
    }

    async handle(door, request) {
        const { params } = await request.json();
        this.calls.push({ door, ...params });
        const answer = JSON.parse(JSON.stringify(this.answer(door, params)));
        answer.now = this.now;
        await this.held[door];
        return this.dead.has(door) ? new Response("", { status: 502 }) : answer;
    }

    answer(door, { payment_uuid: uuid, payment_uuids: uuids, refundable }) {
        if (door === "start") {
            return this.onStart(uuid);
        }
        if (door === "cancel") {
            return this.onCancel(uuid);
        }
        // what may be given back costs a question of its own: it is told to those who want it
        const told = (known) => (refundable ? known : { ...known, refundable: undefined });
        return {
            payments: uuids.map((uuid) =>
                told(this.known[uuid] || { payment_uuid: uuid, state: "none" })
            ),
        };
    }
}
