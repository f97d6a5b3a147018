// Brings the page to life: the terminals, the customer's phone, the papers beside them.
import { follow, get, post } from "./api.js";
import { element } from "./dom.js";
import { Papers } from "./papers.js";
import { Phone } from "./phone.js";
import { drawScreen, drawSecondsLeft } from "./screen.js";
import { currentLanguage, switchLanguage, word } from "./words.js";

const KEYS = { a: "approve", d: "decline", c: "cancel", t: "timeout", h: "home" };

const at = (id) => document.getElementById(id);
const place = Object.fromEntries(
    ["screen", "tills", "live", "language", "addresses", "note", "device", "gateway-address"].map(
        (id) => [id, at(id)]
    )
);

let terminals = [];
let chosen = Math.max(0, (Number(location.hash.slice(1)) || 1) - 1);
let posKey = "";
let stateCame = 0;
let alive = true;

function terminal() {
    return terminals[chosen] || terminals[0];
}

function path(rest = "") {
    return terminal() && `/api/terminals/${terminal().index}${rest}`;
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

const papers = new Papers({
    terminalPath: path,
    attempt,
    say,
    onTerminal: (details) => {
        posKey = details.settings.pos_key;
        drawAddresses();
    },
});
const phone = new Phone({ attempt });

function press(button) {
    return attempt(async () => {
        await post(path("/press"), { button });
        say("");
    });
}

function choose(index) {
    if (terminals[index]) {
        chosen = index;
        location.hash = index + 1;
        say("");
        drawTerminal();
        papers.show("terminal");
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
    place.language.textContent = word("language");
    document.title = word("title");
    drawAlive();
    drawTerminal();
    phone.draw();
    papers.drawAgain();
}

function drawAlive() {
    place.live.textContent = word(alive ? "live" : "lost");
    place.live.classList.toggle("lost", !alive);
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
                one.screen.job && element("small", {}, one.screen.job.amount)
            )
        )
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
    drawAddresses();
    tick();
}

function drawAddresses() {
    const one = terminal();
    drawLines(place.addresses, {
        [word("address")]: one?.url,
        HTTPS: one?.url_https,
        "POS-KEY": posKey,
    });
}

function drawGatewayAddress(state) {
    drawLines(place["gateway-address"], {
        [word("gateway")]: state.url,
        [word("app_code")]: state.settings.app_code,
        [word("client_key")]: state.settings.client_key,
        [word("mchid")]: state.settings.mchid,
    });
}

function drawLines(list, lines) {
    list.replaceChildren(
        ...Object.entries(lines)
            .filter(([, value]) => value)
            .flatMap(([name, value]) => [element("dt", {}, name), element("dd", {}, value)])
    );
}

function tick() {
    const job = terminal()?.screen.job;
    if (job?.timeout) {
        const seconds = job.seconds_left - (performance.now() - stateCame) / 1000;
        drawSecondsLeft(place.screen, seconds, job.timeout);
    }
    phone.tick();
}

// Events

document.addEventListener("keydown", (event) => {
    const typing = event.target.matches(
        "input:not([type=radio], [type=checkbox]), select, textarea"
    );
    if (typing || event.ctrlKey || event.metaKey || event.altKey || event.repeat) {
        return;
    }
    const key = event.key.toLowerCase();
    const button = KEYS[key];
    if (button && terminal()?.screen.buttons.includes(button)) {
        event.preventDefault();
        press(button);
    } else if (/^[1-9]$/.test(key)) {
        choose(Number(key) - 1);
    } else {
        phone.press(key);
    }
});

for (const node of document.querySelectorAll("[data-button]")) {
    node.addEventListener("click", () => press(node.dataset.button));
}

place.language.addEventListener("click", () => {
    switchLanguage();
    drawWords();
});

drawWords();
setInterval(tick, 250);

follow(
    "/api/events",
    (state) => {
        const first = !terminals.length;
        terminals = state;
        stateCame = performance.now();
        drawTerminal();
        papers.changed("terminal");
        if (first) {
            papers.show(papers.side);
        }
    },
    (now) => {
        alive = now;
        drawAlive();
    }
);

follow("/api/gateway/events", (state) => {
    phone.show(state);
    drawGatewayAddress(state);
    papers.changed("gateway");
});

attempt(async () => phone.learn(await get("/api/gateway/form")));
