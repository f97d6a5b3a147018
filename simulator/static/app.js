// Brings the page to life: which terminal is chosen, what it shows, what is pressed.
import { follow, get, post } from "./api.js";
import { element } from "./dom.js";
import { drawForm } from "./form.js";
import { drawScreen, drawSecondsLeft } from "./screen.js";
import { drawLog, drawTrades } from "./tables.js";
import { currentLanguage, switchLanguage, word } from "./words.js";

const KEYS = { a: "approve", d: "decline", c: "cancel", t: "timeout", h: "home" };
const TABS = ["settings", "trades", "log"];
const SHOWN_ROWS = 100;

const at = (id) => document.getElementById(id);
const place = Object.fromEntries(
    ["screen", "tills", "live", "language", "addresses", "note", "device", ...TABS].map((id) => [
        id,
        at(id),
    ]),
);

let table = null;
let terminals = [];
let chosen = Math.max(0, (Number(location.hash.slice(1)) || 1) - 1);
let tab = "settings";
let details = null;
let stateCame = 0;
let drawnForm = "";
let alive = true;

function terminal() {
    return terminals[chosen] || terminals[0];
}

function path(rest = "") {
    return `/api/terminals/${terminal().index}${rest}`;
}

function say(text, bad = false) {
    place.note.textContent = text;
    place.note.classList.toggle("bad", bad);
}

async function attempt(action) {
    try {
        await action();
    } catch (error) {
        say(error.message, true);
    }
}

function press(button) {
    return attempt(async () => {
        await post(path("/press"), { button });
        say("");
    });
}

function change(changes) {
    return attempt(async () => {
        await post(path("/settings"), changes);
        say(word("saved"));
    }).then(loadPapers);
}

function reset() {
    return attempt(async () => {
        await post(path("/reset"));
        say(word("reset_done"));
    }).then(loadPapers);
}

function choose(index) {
    if (terminals[index]) {
        chosen = index;
        location.hash = index + 1;
        details = null;
        drawnForm = "";
        say("");
        drawTerminal();
        loadPapers();
    }
}

// Drawing

function drawWords() {
    document.documentElement.lang = currentLanguage() === "zh" ? "zh-Hant" : "en";
    for (const node of document.querySelectorAll("[data-word]")) {
        node.textContent = word(node.dataset.word);
    }
    for (const node of document.querySelectorAll("[data-button]")) {
        const letter = Object.keys(KEYS).find((key) => KEYS[key] === node.dataset.button);
        node.replaceChildren(word(node.dataset.button), element("kbd", {}, letter.toUpperCase()));
    }
    for (const node of document.querySelectorAll("[data-tab]")) {
        node.textContent = word(node.dataset.tab);
    }
    place.language.textContent = word("language");
    document.title = word("title");
    drawnForm = "";
    drawAlive();
}

function drawAlive() {
    place.live.textContent = word(alive ? "live" : "lost");
    place.live.classList.toggle("lost", !alive);
}

function drawTabs() {
    for (const node of document.querySelectorAll("[data-tab]")) {
        const current = node.dataset.tab === tab;
        node.setAttribute("aria-selected", current);
        node.setAttribute("aria-controls", node.dataset.tab);
    }
    for (const name of TABS) {
        place[name].hidden = name !== tab;
    }
}

function drawTills() {
    place.tills.replaceChildren(
        ...(terminals.length < 2 ? [] : terminals).map((one, index) =>
            element(
                "button",
                {
                    type: "button",
                    class: one.screen.job ? "till busy" : "till",
                    "aria-current": index === chosen ? "true" : null,
                    title: one.url,
                    onclick: () => choose(index),
                },
                `${index + 1}`,
                one.screen.job && element("small", {}, one.screen.job.amount),
            ),
        ),
    );
}

function drawTerminal() {
    const one = terminal();
    if (!one) {
        return;
    }
    drawTills();
    drawScreen(place.screen, one);
    place.device.classList.toggle("cut-off", !one.reachable);
    for (const node of document.querySelectorAll("[data-button]")) {
        node.disabled = !one.screen.buttons.includes(node.dataset.button);
    }
    const lines = {
        [word("terminal")]: one.url,
        HTTPS: one.url_https,
        "POS-KEY": details?.pos_key,
    };
    place.addresses.replaceChildren(
        ...Object.entries(lines)
            .filter(([, value]) => value)
            .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)]),
    );
    tick();
}

function drawSettings() {
    if (!table || !details) {
        return;
    }
    // Do not pull a field from under somebody's fingers when nothing has changed.
    const picture = JSON.stringify([details, chosen, currentLanguage()]);
    if (picture !== drawnForm) {
        const focused = document.activeElement?.id;
        const scrolled = place.settings.querySelector(".faults")?.scrollTop || 0;
        drawForm(place.settings, table, details, change, reset);
        place.settings.querySelector(".faults").scrollTop = scrolled;
        drawnForm = picture;
        if (focused) {
            at(focused)?.focus();
        }
    }
}

function tick() {
    const job = terminal()?.screen.job;
    if (job?.timeout) {
        const seconds = job.seconds_left - (performance.now() - stateCame) / 1000;
        drawSecondsLeft(place.screen, seconds, job.timeout);
    }
}

// Loading

let loading = false;
let again = false;

/** Load what the open tab shows; one load at a time, and one more when something changed since. */
async function loadPapers() {
    if (loading) {
        again = true;
        return;
    }
    loading = true;
    await attempt(async () => {
        const asked = path();
        const [one, rows] = await Promise.all([
            get(asked),
            tab === "settings" ? null : get(`${asked}/${tab}?last=${SHOWN_ROWS}`),
        ]);
        if (asked === path()) {
            details = one.settings;
            drawTerminal();
            drawSettings();
            if (rows && tab === "trades") {
                drawTrades(place.trades, rows);
            } else if (rows && tab === "log") {
                drawLog(place.log, rows);
            }
        }
    });
    loading = false;
    if (again) {
        again = false;
        loadPapers();
    }
}

// Events

document.addEventListener("keydown", (event) => {
    const typing = event.target.matches(
        "input:not([type=radio], [type=checkbox]), select, textarea",
    );
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) {
        return;
    }
    const button = KEYS[event.key.toLowerCase()];
    if (button && terminal()?.screen.buttons.includes(button)) {
        event.preventDefault();
        press(button);
    } else if (/^[1-9]$/.test(event.key)) {
        choose(Number(event.key) - 1);
    }
});

for (const node of document.querySelectorAll("[data-button]")) {
    node.addEventListener("click", () => press(node.dataset.button));
}

for (const node of document.querySelectorAll("[data-tab]")) {
    node.addEventListener("click", () => {
        tab = node.dataset.tab;
        drawTabs();
        loadPapers();
    });
}

place.language.addEventListener("click", () => {
    switchLanguage();
    drawWords();
    drawTerminal();
    loadPapers();
});

drawWords();
drawTabs();
setInterval(tick, 250);

follow(
    (state) => {
        terminals = state;
        stateCame = performance.now();
        drawTerminal();
        loadPapers();
    },
    async (now) => {
        alive = now;
        drawAlive();
        if (alive && !table) {
            await attempt(async () => {
                table = await get("/api/form");
                drawSettings();
            });
        }
    },
);
