// What the terminal's screen shows.
import { drawing, element } from "./dom.js";
import { word } from "./words.js";

const QR_SIDE = 21;

/** Draw a terminal's state into its screen. */
export function drawScreen(place, terminal) {
    const { screen } = terminal;
    place.replaceChildren(
        statusBar(terminal),
        screen.job ? jobScreen(screen) : restScreen(screen),
        terminal.reachable ? "" : element("p", { class: "offline" }, word("unreachable"))
    );
}

/** Count the customer's time down between two states. */
export function drawSecondsLeft(place, seconds, timeout) {
    const bar = place.querySelector(".countdown i");
    if (bar) {
        bar.style.width = `${Math.max(0, (100 * seconds) / timeout)}%`;
        place.querySelector(".countdown span").textContent =
            `${Math.ceil(Math.max(0, seconds))} ${word("seconds")}`;
    }
}

function statusBar(terminal) {
    const clock = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    return element(
        "div",
        { class: "status" },
        element("span", {}, clock),
        terminal.fault && element("span", { class: "armed" }, `⚠ ${terminal.fault}`),
        element("span", { "aria-hidden": "true" }, terminal.reachable ? "▂▄▆" : "✕")
    );
}

function jobScreen({ state, job }) {
    const refund = job.kind === "refund";
    const busy = state === "PROCESSING" || Boolean(job.acted_at);
    return element(
        "div",
        { class: "job" },
        element("p", { class: "kind" }, `${word(job.kind)} · ${job.label}`),
        element("p", { class: "amount" }, element("small", {}, "HK$"), money(job.amount)),
        busy || refund ? spinner() : picture(job),
        element("p", { class: "prompt" }, prompt(state, job, busy)),
        !busy && job.timeout
            ? element("div", { class: "countdown" }, element("i"), element("span"))
            : null,
        element("p", { class: "small" }, job.reference || "")
    );
}

function prompt(state, job, busy) {
    if (state === "PROCESSING") {
        return word("processing");
    }
    if (busy) {
        return word("acted");
    }
    if (state === "REFUNDING") {
        return word(job.asks ? "refund_asked" : "refunding");
    }
    return word(job.mode);
}

function restScreen({ state, last }) {
    if (state === "RESULT" && last) {
        const good = ["approved", "refunded", "printed"].includes(last.result);
        return element(
            "div",
            { class: `result ${good ? "good" : "bad"}` },
            element("div", { class: "mark", "aria-hidden": "true" }, good ? "✓" : "✕"),
            element("p", { class: "prompt" }, word(last.result)),
            last.amount &&
                element("p", { class: "amount" }, element("small", {}, "HK$"), money(last.amount)),
            element("p", { class: "kind" }, `${word(last.kind)} · ${last.label || ""}`),
            element("p", { class: "small" }, last.reference || "")
        );
    }
    return element(
        "div",
        { class: "rest" },
        element("p", { class: "prompt" }, word("welcome")),
        element("p", { class: "kind" }, word("waiting")),
        last &&
            element(
                "p",
                { class: "ticket" },
                `${word(last.kind)} ${last.amount ? `HK$ ${money(last.amount)}` : ""} · ${word(last.result)}`
            )
    );
}

function money(text) {
    return Number(text).toLocaleString("en-HK", { minimumFractionDigits: 2 });
}

function spinner() {
    return element("div", { class: "spinner", "aria-hidden": "true" });
}

function picture(job) {
    if (job.mode === "shown") {
        return qrPicture(job.reference || job.amount);
    }
    return job.mode === "scanned" ? cameraPicture() : cardPicture();
}

function frame(...children) {
    return drawing(
        "svg",
        { viewBox: "0 0 120 84", class: "picture", "aria-hidden": "true" },
        ...children
    );
}

function cardPicture() {
    const waves = [12, 20, 28].map((radius) =>
        drawing("path", {
            d:
                `M ${74 + radius * 0.7} ${42 - radius} A ${radius * 1.4} ${radius * 1.4} 0 0 1 ` +
                `${74 + radius * 0.7} ${42 + radius}`,
            class: "wave",
        })
    );
    return frame(
        drawing("rect", { x: 8, y: 20, width: 64, height: 44, rx: 6, class: "card" }),
        drawing("rect", { x: 16, y: 32, width: 13, height: 10, rx: 2, class: "chip" }),
        drawing("path", { d: "M 16 54 h 26", class: "line" }),
        ...waves
    );
}

function cameraPicture() {
    return frame(
        drawing("path", {
            d: "M 32 22 v -10 h 14 M 74 12 h 14 v 10 M 88 62 v 10 h -14 M 46 72 h -14 v -10",
            class: "line",
        }),
        drawing("rect", { x: 46, y: 18, width: 28, height: 48, rx: 4, class: "phone" }),
        drawing("path", { d: "M 52 30 h 16 M 52 36 h 16 M 52 42 h 16", class: "thin" }),
        drawing("path", { d: "M 28 42 h 64", class: "laser" })
    );
}

// Looks like a QR code and is none: there is nobody to scan it.
function qrPicture(seed) {
    let value = 7;
    for (const sign of seed) {
        value = (value * 31 + sign.codePointAt(0)) % 2147483647;
    }
    const dots = [];
    for (let y = 0; y < QR_SIDE; y++) {
        for (let x = 0; x < QR_SIDE; x++) {
            value = (value * 48271) % 2147483647;
            if (!inCorner(x, y) && value % 2) {
                dots.push(`M ${x} ${y} h 1 v 1 h -1 z`);
            }
        }
    }
    const corners = [
        [0, 0],
        [QR_SIDE - 7, 0],
        [0, QR_SIDE - 7],
    ].flatMap(([x, y]) => [
        drawing("rect", { x: x + 0.5, y: y + 0.5, width: 6, height: 6, class: "corner" }),
        drawing("rect", { x: x + 2, y: y + 2, width: 3, height: 3 }),
    ]);
    return drawing(
        "svg",
        { viewBox: `-1 -1 ${QR_SIDE + 2} ${QR_SIDE + 2}`, class: "qr", "aria-hidden": "true" },
        drawing("path", { d: dots.join(" ") }),
        ...corners
    );
}

function inCorner(x, y) {
    const edge = QR_SIDE - 8;
    return (x < 8 && y < 8) || (x >= edge && y < 8) || (x < 8 && y >= edge);
}
