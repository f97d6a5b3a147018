// Settings, books and lists of requests, of the terminal or of the gateway.
import { get, post } from "./api.js";
import { element } from "./dom.js";
import { drawForm } from "./form.js";
import { drawLog, drawNotifications, drawOrders, drawRequests, drawTrades } from "./tables.js";
import { currentLanguage, word } from "./words.js";

const SHOWN_ROWS = 100;
const SIDES = {
    terminal: {
        form: "/api/form",
        groups: ["customer", "fault", "wire", "terminal"],
        tabs: { settings: null, trades: drawTrades, log: drawLog },
    },
    gateway: {
        form: "/api/gateway/form",
        groups: ["customer", "notify", "fault", "wire", "merchant", "host"],
        tabs: {
            settings: null,
            orders: drawOrders,
            notifications: drawNotifications,
            log: drawRequests,
        },
    },
};

/** What lies beside the two devices. */
export class Papers {
    /**
     * @param {object} page
     * @param {(rest?: string) => string} page.terminalPath the chosen terminal's place in the API
     * @param {(action: () => Promise) => Promise} page.attempt says what goes wrong
     * @param {(text: string) => void} page.say
     * @param {(details: object) => void} page.onTerminal told of every terminal that was loaded
     */
    constructor(page) {
        this.page = page;
        this.side = "terminal";
        this.tab = "settings";
        this.tables = {};
        this.drawn = "";
        this.loading = false;
        this.again = false;
        this.panel = document.getElementById("panel");
        this.tabs = document.getElementById("tabs");
        for (const node of document.querySelectorAll("[data-side]")) {
            node.addEventListener("click", () => {
                page.say("");
                this.show(node.dataset.side);
            });
        }
    }

    /** Show the papers of the terminal or of the gateway. */
    show(side) {
        this.side = side;
        if (!(this.tab in SIDES[side].tabs)) {
            this.tab = "settings";
        }
        this.drawAgain();
    }

    /** Draw everything anew, as in another language. */
    drawAgain() {
        this.drawn = "";
        for (const node of document.querySelectorAll("[data-side]")) {
            node.textContent = word(node.dataset.side);
            node.setAttribute("aria-pressed", node.dataset.side === this.side);
        }
        this.tabs.replaceChildren(
            ...Object.keys(SIDES[this.side].tabs).map((name) =>
                element(
                    "button",
                    {
                        type: "button",
                        role: "tab",
                        "data-tab": name,
                        "aria-selected": `${name === this.tab}`,
                        "aria-controls": "panel",
                        onclick: () => {
                            this.tab = name;
                            this.drawAgain();
                        },
                    },
                    word(name)
                )
            )
        );
        this.load();
    }

    /** Something changed at the terminal or at the gateway. */
    changed(side) {
        if (side === this.side) {
            this.load();
        }
    }

    path(rest = "") {
        return this.side === "terminal" ? this.page.terminalPath(rest) : `/api/gateway${rest}`;
    }

    /** Load what is shown; one load at a time, and one more when something changed since. */
    async load() {
        if (this.loading || !this.path()) {
            this.again = this.loading;
            return;
        }
        this.loading = true;
        await this.page.attempt(() => this.loadOnce());
        this.loading = false;
        if (this.again) {
            this.again = false;
            this.load();
        }
    }

    async loadOnce() {
        const { side, tab } = this;
        const asked = this.path();
        this.tables[side] ||= await get(SIDES[side].form);
        const [details, rows] = await Promise.all([
            get(asked),
            tab === "settings" ? null : get(`${asked}/${tab}?last=${SHOWN_ROWS}`),
        ]);
        if (asked !== this.path() || tab !== this.tab) {
            this.again = true;
            return;
        }
        if (side === "terminal") {
            this.page.onTerminal(details);
        }
        if (rows) {
            this.drawn = "";
            SIDES[side].tabs[tab](this.panel, rows, {
                decimals: this.tables.gateway?.decimals || {},
                act: (order, values) => this.act(order, values),
            });
        } else {
            this.drawSettings(details.settings);
        }
    }

    drawSettings(values) {
        // Do not pull a field from under somebody's fingers when nothing has changed.
        const picture = JSON.stringify([this.path(), values, currentLanguage()]);
        if (picture === this.drawn) {
            return;
        }
        const focused = document.activeElement?.id;
        const scrolled = this.panel.querySelector(".faults")?.scrollTop || 0;
        drawForm(this.panel, {
            side: this.side,
            groups: SIDES[this.side].groups,
            table: this.tables[this.side],
            values,
            onChange: (changes) => this.change(changes),
            onReset: () => this.reset(),
        });
        this.panel.querySelector(".faults").scrollTop = scrolled;
        this.drawn = picture;
        if (focused) {
            document.getElementById(focused)?.focus();
        }
    }

    async send(path, values, said) {
        await this.page.attempt(async () => {
            await post(path, values);
            this.page.say(word(said));
        });
        this.load();
    }

    change(changes) {
        return this.send(this.path("/settings"), changes, "saved");
    }

    reset() {
        return this.send(this.path("/reset"), {}, `reset_done_${this.side}`);
    }

    act(order, values) {
        return this.send(`/api/gateway/orders/${order.syssn}/act`, values, "done");
    }
}
