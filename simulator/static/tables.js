// The book of trades and the list of requests.
import { element } from "./dom.js";
import { word } from "./words.js";

const SHOWN_CODES = ["0000", "1143", "1145", "1181", "1263"];

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
        "no_trades",
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
                    element("tr", {}, ...heads.map((head) => element("th", {}, word(head)))),
                ),
                element("tbody", {}, ...rows.map(line)),
            ),
        ),
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
