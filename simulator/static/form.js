// The settings of a terminal or of the gateway; every change is sent at once.
import { element } from "./dom.js";
import { either, hasWord, word } from "./words.js";

// What an empty field for a number means.
const EMPTY = { count: null, factor: 1 };
const OPEN = ["customer", "notify", "fault"];

/**
 * Draw the form.
 *
 * @param {HTMLElement} place
 * @param {object} form
 * @param {string} form.side "terminal" or "gateway"
 * @param {string[]} form.groups of settings, in their order
 * @param {object} form.table the simulator's table of settings and faults
 * @param {object} form.values
 * @param {(changes: object) => void} form.onChange
 * @param {() => void} form.onReset
 */
export function drawForm(place, { side, groups, table, values, onChange, onReset }) {
    const folded = new Map(
        [...place.querySelectorAll("details")].map((node) => [node.id, node.open])
    );
    const parts = groups.map((group) => {
        const id = `group-${side}-${group}`;
        const open = folded.has(id) ? folded.get(id) : OPEN.includes(group);
        const settings = table.settings.filter((setting) => setting.group === group);
        return element(
            "details",
            { id, open, class: "group" },
            element("summary", {}, word(`${group}_group`)),
            element(
                "div",
                { class: "fields" },
                ...settings.map((setting) =>
                    setting.name === "fault"
                        ? faultField(table.faults, values.fault, onChange)
                        : field(setting, values[setting.name], table, onChange)
                )
            )
        );
    });
    place.replaceChildren(
        ...parts,
        element(
            "p",
            { class: "reset" },
            element(
                "button",
                { type: "button", class: "danger", onclick: onReset },
                word(`reset_${side}`)
            ),
            element("span", {}, word(`reset_help_${side}`))
        )
    );
}

function field(setting, value, table, onChange) {
    const id = `setting-${setting.name}`;
    const help = either({ en: setting.help_en, zh: setting.help_zh });
    const send = (changed) => onChange({ [setting.name]: changed });
    return element(
        "div",
        { class: "field" },
        element("label", { for: id }, either(setting)),
        CONTROLS[setting.kind](setting, value, { id, send, table }),
        help && element("small", {}, help)
    );
}

function select(setting, value, { id, send, table }) {
    const scripts = setting.name === "cpm_default" ? table.scripts : {};
    const options = setting.choices.map((choice, index) =>
        element(
            "option",
            { value: index, selected: choice === value },
            scripts[choice] ? either(scripts[choice]) : choiceLabel(choice, setting.name)
        )
    );
    return element(
        "select",
        { id, onchange: (event) => send(setting.choices[Number(event.target.value)]) },
        ...options
    );
}

function choiceLabel(choice, name) {
    if (choice === null) {
        return word(hasWord(`null_${name}`) ? `null_${name}` : "default_choice");
    }
    if (typeof choice === "boolean") {
        return word(choice ? "yes" : "no");
    }
    if (choice === "") {
        return word("none");
    }
    const known = [`choice_${name}_${choice}`, `choice_${choice}`].find(hasWord);
    return known ? word(known) : choice;
}

function flag(setting, value, { id, send }) {
    return element("input", {
        id,
        type: "checkbox",
        checked: value,
        onchange: (event) => send(event.target.checked),
    });
}

function number(setting, value, { id, send }) {
    return element("input", {
        id,
        type: "number",
        step: ["count", "whole"].includes(setting.kind) ? 1 : "any",
        min: setting.kind === "offset" ? null : 0,
        value: value ?? "",
        onchange: ({ target }) => {
            const empty = setting.kind in EMPTY ? EMPTY[setting.kind] : 0;
            send(target.value === "" ? empty : Number(target.value));
        },
    });
}

function text(setting, value, { id, send }) {
    return element("input", {
        id,
        type: "text",
        class: setting.kind === "key" ? "key-text" : null,
        spellcheck: "false",
        autocomplete: "off",
        value: value ?? "",
        onchange: (event) => send(event.target.value.trim()),
    });
}

function commands(setting, value, { id, send, table }) {
    const chosen = value || [];
    return element(
        "div",
        { id, class: "checks" },
        ...setting.choices.map((code) =>
            element(
                "label",
                {},
                element("input", {
                    type: "checkbox",
                    checked: chosen.includes(code),
                    onchange: (event) =>
                        send(
                            event.target.checked
                                ? [...chosen, code]
                                : chosen.filter((other) => other !== code)
                        ),
                }),
                ` ${code} ${table.commands[code]}`
            )
        )
    );
}

const CONTROLS = {
    choice: select,
    flag,
    seconds: number,
    factor: number,
    offset: number,
    whole: number,
    count: number,
    last4: text,
    code: text,
    key: text,
    url: text,
    commands,
};

function faultField(faults, value, onChange) {
    const radio = (name, label, help) =>
        element(
            "label",
            { class: "fault" },
            element("input", {
                type: "radio",
                name: "fault",
                checked: value === name,
                onchange: () => onChange({ fault: name, fault_count: null }),
            }),
            element("b", {}, label),
            element("span", {}, help)
        );
    const stages = ["arrival", "job", "answer"].flatMap((stage) => [
        element("h3", {}, word(stage)),
        ...Object.entries(faults)
            .filter(([, fault]) => fault.stage === stage)
            .map(([name, fault]) => radio(name, name, either(fault))),
    ]);
    return element(
        "fieldset",
        { class: "faults" },
        element("legend", {}, word("fault")),
        radio(null, word("no_fault"), word("no_fault_help")),
        ...stages
    );
}
