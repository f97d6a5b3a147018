// The books of terminal and gateway, and the lists of what came and went.
import { element } from "./dom.js";
import { money as moneyIn } from "./money.js";
import { word } from "./words.js";

const SHOWN_CODES = ["0000", "1143", "1145", "1181", "1263", "1264"];

/** Draw the trades, newest first. */
export function drawTrades(place, trades) {
    const rows = [...trades]
        .reverse()
        .map((trade) => [
            clock(trade.created_at),
            element("div", {}, word(trade.kind), element("br"), trade.channel),
            money(trade.amount_minor),
            badge(codeLabel(trade.respcd), codeClass(trade.respcd)),
            trade.kind === "payment" ? money(trade.refundable_minor) : "",
            [trade.cardscheme, trade.cardno.slice(-4)].filter(Boolean).join(" "),
            element("div", {}, code(trade.reference), element("br"), code(trade.syssn)),
        ]);
    drawTable(
        place,
        ["time", "kind", "amount", "host_code", "left", "card", "numbers"],
        rows,
        "no_trades"
    );
}

/** Draw the requests, newest first. */
export function drawLog(place, log) {
    const rows = [...log]
        .reverse()
        .map((entry) => [
            clock(entry.at),
            `${entry.func_type || ""} ${entry.command || entry.path}`,
            badge(entry.answer || "…", answerClass(entry.answer)),
            entry.fault || "",
            entry.answered_at ? `${Math.round((entry.answered_at - entry.at) * 1000)} ms` : "",
            code(entry.content ? contentText(entry.content) : ""),
        ]);
    drawTable(place, ["time", "command", "answered", "fault", "took", "content"], rows, "no_log");
}

/**
 * Draw the gateway's orders and refunds, newest first.
 *
 * @param {object} tools
 * @param {object} tools.decimals of each currency
 * @param {(order: object, values: object) => void} tools.act does something with an order
 */
export function drawOrders(place, orders, { decimals, act }) {
    const key = (order, action, values = {}) =>
        element(
            "button",
            {
                type: "button",
                class: "plain",
                onclick: () => act(order, { do: action, ...values }),
            },
            word(values.late ? "do_pay_late" : `do_${action}`)
        );
    const keys = (order) => {
        if (order.open) {
            return [key(order, "pay"), key(order, "refuse")];
        }
        if (order.paid) {
            return [key(order, "notify"), order.refundable_minor ? key(order, "refund") : ""];
        }
        return order.kind === "payment" && !order.refunded_minor
            ? [key(order, "pay", { late: true })]
            : [];
    };
    const rows = [...orders]
        .reverse()
        .map((order) => [
            clock(order.created_at),
            element("div", {}, word(order.kind), element("br"), `${order.label} ${order.pay_type}`),
            moneyIn(order.amount_minor, order.currency, decimals),
            element(
                "div",
                {},
                badge(codeLabel(order.respcd), codeClass(order.respcd)),
                order.cancel === "0" ? "" : element("small", {}, ` cancel ${order.cancel}`)
            ),
            element("div", { class: "row-keys" }, ...keys(order)),
            order.kind === "payment"
                ? moneyIn(order.refundable_minor, order.currency, decimals)
                : "",
            element("div", {}, code(order.reference), element("br"), code(order.syssn)),
        ]);
    drawTable(
        place,
        ["time", "kind", "amount", "host_code", "actions", "left", "numbers"],
        rows,
        "no_trades"
    );
}

/** Draw the attempts to notify, newest first. */
export function drawNotifications(place, attempts) {
    const rows = [...attempts]
        .reverse()
        .map((record) => [
            clock(record.at),
            `${word(record.notify_type)} · ${record.attempt}`,
            word(`choice_${record.mode}`),
            badge(
                record.seconds === null
                    ? "…"
                    : shortened(`${record.status || ""} ${record.answer}`),
                record.seconds === null ? "open" : record.taken ? "good" : "bad"
            ),
            record.next_at ? clock(record.next_at) : "",
            element("div", {}, code(record.out_trade_no), element("br"), code(record.url)),
        ]);
    drawTable(
        place,
        ["time", "attempt", "notify_mode", "answered", "next", "number_address"],
        rows,
        "no_notifications"
    );
}

function shortened(text) {
    const [first] = text.trim().split(/[:\n]/);
    return first.slice(0, 40);
}

/** Draw the gateway's requests, newest first. */
export function drawRequests(place, log) {
    const rows = [...log]
        .reverse()
        .map((entry) => [
            clock(entry.at),
            `${entry.method} ${entry.call || entry.path}`,
            badge(requestAnswer(entry), requestClass(entry)),
            entry.fault || "",
            entry.answered_at ? `${Math.round((entry.answered_at - entry.at) * 1000)} ms` : "",
            code(`${contentText(entry.fields)}${entry.note ? ` — ${entry.note}` : ""}`),
        ]);
    drawTable(place, ["time", "command", "answered", "fault", "took", "content"], rows, "no_log");
}

function requestAnswer(entry) {
    if (entry.status === "cut") {
        return `${entry.answer || ""} ${word("cut")}`.trim();
    }
    return entry.answer || String(entry.status || "…");
}

function requestClass(entry) {
    if (entry.status === 200 && ["0000", "1143", "1145"].includes(entry.answer)) {
        return "good";
    }
    return entry.status ? "bad" : "open";
}

function drawTable(place, heads, rows, empty) {
    if (!rows.length) {
        place.replaceChildren(element("p", { class: "empty" }, word(empty)));
        return;
    }
    const line = (cells) => element("tr", {}, ...cells.map((cell) => element("td", {}, cell)));
    place.replaceChildren(
        element(
            "div",
            { class: "scroll", tabindex: 0 },
            element(
                "table",
                {},
                element(
                    "thead",
                    {},
                    element("tr", {}, ...heads.map((head) => element("th", {}, word(head))))
                ),
                element("tbody", {}, ...rows.map(line))
            )
        )
    );
}

function clock(seconds) {
    return new Date(seconds * 1000).toLocaleTimeString([], { hour12: false });
}

function money(minor) {
    return (minor / 100).toFixed(2);
}

function code(text) {
    return element("code", {}, text);
}

function badge(text, kind) {
    return element("span", { class: `badge ${kind}` }, text);
}

function codeLabel(respcd) {
    return `${respcd} ${word(SHOWN_CODES.includes(respcd) ? `code_${respcd}` : "code_other")}`;
}

function codeClass(respcd) {
    if (respcd === "0000") {
        return "good";
    }
    return ["1143", "1145"].includes(respcd) ? "open" : "bad";
}

function answerClass(respcd) {
    if (!respcd) {
        return "open";
    }
    return respcd === "6000" ? "good" : "bad";
}

function contentText(content) {
    return Object.entries(content)
        .filter(([name]) => name !== "func_type")
        .map(([name, value]) => `${name}=${value}`)
        .join(", ");
}
