// The customer's phone: scan the code that a till shows, or show a code for a till to scan.
import { get, post } from "./api.js";
import { barCode, qrCode } from "./codes.js";
import { element } from "./dom.js";
import { money } from "./money.js";
import { either, word } from "./words.js";

const KEYS = { s: "scan", p: "pay", r: "refuse", l: "expire" };
const RECENT = 4;

/** What can be done on the phone with an order that waits. */
function choices(order) {
    if (order.scanned) {
        return ["pay", "refuse"];
    }
    return order.respcd === "1143" ? ["scan", "expire"] : ["pay", "refuse", "expire"];
}

export class Phone {
    /**
     * @param {object} page
     * @param {(action: () => Promise) => Promise} page.attempt says what goes wrong
     */
    constructor({ attempt }) {
        this.attempt = attempt;
        this.view = "scan";
        this.state = null;
        this.form = null;
        this.wallet = "alipay";
        this.script = "ok";
        this.code = null;
        this.place = Object.fromEntries(
            ["status", "scan", "pay", "views"].map((name) => [
                name,
                document.getElementById(`phone-${name}`),
            ])
        );
        for (const node of this.place.views.querySelectorAll("[data-view]")) {
            node.addEventListener("click", () => this.turnTo(node.dataset.view));
        }
    }

    /** Learn the wallets, what their codes can do, and the currencies' decimals. */
    learn(form) {
        this.form = form;
        this.draw();
    }

    /** Show a state of the gateway. */
    show(state) {
        this.state = state;
        this.stateCame = performance.now();
        if (this.code && !this.code.order) {
            this.code.order = this.payments().find(
                (order) => order.scanned && order.created_at > this.code.made
            );
        }
        this.draw();
    }

    payments() {
        return (this.state?.shown || []).filter((order) => order.kind === "payment").reverse();
    }

    turnTo(view) {
        this.view = view;
        this.draw();
        if (view === "pay" && !this.code) {
            this.newCode();
        }
    }

    /** A key of the keyboard acts on the order on top. */
    press(key) {
        const order = this.payments().find(({ open }) => open);
        if (this.view === "scan" && order && choices(order).includes(KEYS[key])) {
            this.act(order, KEYS[key]);
        }
    }

    act(order, action) {
        return this.attempt(() => post(`/api/gateway/orders/${order.syssn}/act`, { do: action }));
    }

    newCode() {
        return this.attempt(async () => {
            const asked = `wallet=${this.wallet}&script=${this.script}`;
            const made = Date.now() / 1000;
            const { code } = await get(`/api/phone/code?${asked}`);
            const { rows } = await get(`/api/phone/qr?text=${code}`);
            this.code = { text: code, rows, made, order: null };
            this.draw();
        });
    }

    // Drawing

    draw() {
        if (!this.state || !this.form) {
            return;
        }
        this.drawStatus();
        for (const node of this.place.views.querySelectorAll("[data-view]")) {
            const current = node.dataset.view === this.view;
            node.textContent = word(`view_${node.dataset.view}`);
            node.setAttribute("aria-pressed", current);
            this.place[node.dataset.view].hidden = !current;
        }
        const focused = document.activeElement?.dataset?.key;
        this.place.scan.replaceChildren(...this.scanView());
        this.drawPay();
        this.tick();
        if (focused) {
            document.querySelector(`[data-key="${focused}"]`)?.focus();
        }
    }

    drawStatus() {
        const { fault, reachable } = this.state.settings;
        this.place.status.replaceChildren(
            element("span", {}, this.state.server_time.slice(11, 16)),
            fault ? element("span", { class: "armed" }, `⚠ ${fault}`) : "",
            element("span", { "aria-hidden": "true" }, reachable ? "▂▄▆ ▮▮▯" : "✕")
        );
    }

    amount(order) {
        return money(order.amount_minor, order.currency, this.form.decimals);
    }

    scanView() {
        const payments = this.payments();
        const open = payments.filter((order) => order.open);
        const ended = payments.filter((order) => !order.open).slice(0, RECENT);
        return [
            element("h3", {}, word(open.length ? "codes_shown" : "no_codes_shown")),
            ...open.map((order, index) => this.card(order, index === 0)),
            ended.length ? element("h4", {}, word("ended")) : "",
            ended.length ? element("ul", { class: "ended" }, ...ended.map(this.ended, this)) : "",
        ];
    }

    card(order, first) {
        const waiting = order.respcd === "1143";
        const prompt = order.scanned ? "enter_password" : waiting ? "code_at_till" : "confirm_pay";
        return element(
            "article",
            { class: `paper ${order.wallet}`, "data-syssn": order.syssn },
            element("p", { class: "paper-head" }, element("b", {}, order.label), this.left(order)),
            element("p", { class: "paper-amount" }, this.amount(order)),
            element("p", { class: "paper-prompt" }, word(prompt)),
            element("p", { class: "small" }, order.goods_name, " ", order.reference),
            element(
                "div",
                { class: "paper-keys" },
                ...choices(order).map((action) => this.key(order, action, first))
            )
        );
    }

    left(order) {
        return order.seconds_left === null
            ? ""
            : element("span", { class: "left", "data-left": order.seconds_left });
    }

    key(order, action, first) {
        const letter = Object.keys(KEYS).find((key) => KEYS[key] === action);
        const kind = { scan: "go", pay: "go", refuse: "stop" }[action] || "";
        return element(
            "button",
            {
                type: "button",
                class: `small-key ${kind}`,
                "data-key": `${action}-${order.syssn}`,
                onclick: () => this.act(order, action),
            },
            word(`do_${action}`),
            first && element("kbd", {}, letter.toUpperCase())
        );
    }

    ended(order) {
        return element(
            "li",
            {},
            element("span", { class: order.paid ? "good" : "bad" }, order.paid ? "✓" : "✕"),
            element("span", {}, `${this.amount(order)} · ${order.label}`),
            element("small", {}, order.paid ? "" : order.respcd)
        );
    }

    drawPay() {
        const { wallets, scripts } = this.form;
        // A list that is open must not be drawn under somebody's fingers.
        if (document.activeElement?.id !== "phone-script") {
            this.place.pay.replaceChildren(
                element(
                    "div",
                    { class: "wallets" },
                    ...wallets.map((wallet) => this.walletKey(wallet))
                ),
                element("label", { class: "small-label", for: "phone-script" }, word("script")),
                element(
                    "select",
                    { id: "phone-script", onchange: (event) => this.choose(event) },
                    ...Object.entries(scripts).map(([name, texts]) =>
                        element(
                            "option",
                            { value: name, selected: name === this.script },
                            either(texts)
                        )
                    )
                ),
                element("div", { id: "phone-code", class: `paper ${this.wallet}` })
            );
        }
        document.getElementById("phone-code").replaceChildren(...this.codeView());
    }

    walletKey(wallet) {
        return element(
            "button",
            {
                type: "button",
                class: wallet,
                "data-key": `wallet-${wallet}`,
                "aria-pressed": `${wallet === this.wallet}`,
                onclick: () => {
                    this.wallet = wallet;
                    this.draw();
                    this.newCode();
                },
            },
            word(`wallet_${wallet}`)
        );
    }

    choose(event) {
        this.script = event.target.value;
        event.target.blur();
        this.newCode();
    }

    codeView() {
        if (!this.code) {
            return [element("p", { class: "small" }, word("no_code"))];
        }
        const { text, rows, order } = this.code;
        return [
            order
                ? this.verdict(order)
                : element("p", { class: "paper-prompt" }, word("show_code")),
            element(
                "div",
                { class: order ? "codes used" : "codes" },
                barCode(text),
                element("output", { class: "digits" }, text),
                qrCode(rows)
            ),
            element(
                "button",
                {
                    type: "button",
                    class: "small-key",
                    "data-key": "new-code",
                    onclick: () => this.newCode(),
                },
                word("new_code")
            ),
        ];
    }

    verdict(order) {
        const now = this.payments().find(({ syssn }) => syssn === order.syssn) || order;
        if (now.open) {
            return element("p", { class: "paper-prompt" }, word("code_taken"));
        }
        const kind = now.paid ? "good" : "bad";
        const words = now.paid ? word("paid") : `${word("not_paid")} (${now.respcd})`;
        return element("p", { class: `paper-prompt ${kind}` }, `${words} · ${this.amount(now)}`);
    }

    /** Count the time of shown codes down. */
    tick() {
        const passed = (performance.now() - this.stateCame) / 1000;
        for (const node of this.place.scan.querySelectorAll("[data-left]")) {
            const seconds = Math.max(0, Math.ceil(Number(node.dataset.left) - passed));
            const rest = String(seconds % 60).padStart(2, "0");
            node.textContent = `${Math.floor(seconds / 60)}:${rest}`;
        }
    }
}
