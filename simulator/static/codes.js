// Codes that a scanner can read from the screen: bar codes (Code 128) and QR codes.
import { drawing } from "./dom.js";

// The widths of bars and gaps of each symbol, bar first.
const WIDTHS =
    "212222 222122 222221 121223 121322 131222 122213 122312 132212 221213 221312 231212 112232 " +
    "122132 122231 113222 123122 123221 223211 221132 221231 213212 223112 312131 311222 321122 " +
    "321221 312212 322112 322211 212123 212321 232121 111323 131123 131321 112313 132113 132311 " +
    "211313 231113 231311 112133 112331 132131 113123 113321 133121 313121 211331 231131 213113 " +
    "213311 213131 311123 311321 331121 312113 312311 332111 314111 221411 431111 111224 111422 " +
    "121124 121421 141122 141221 112214 112412 122114 122411 142112 142211 241211 221114 413111 " +
    "241112 134111 111242 121142 121241 114212 124112 124211 411212 421112 421211 212141 214121 " +
    "412121 111143 111341 131141 114113 114311 411113 411311 113141 114131 311141 411131 211412 " +
    "211214 211232";
const SYMBOLS = WIDTHS.split(" ");
const START = { B: 104, C: 105 };
const CHANGE = { B: 100, C: 99 };
const STOP = "2331112";
const QUIET = 10;

/** The numbers of the symbols for a text: two digits at a time, other signs one by one. */
export function symbols(text) {
    const numbers = [];
    let set = null;
    for (let at = 0; at < text.length;) {
        const pair = /^\d\d/.test(text.slice(at));
        const wanted = pair ? "C" : "B";
        if (set !== wanted) {
            numbers.push(set ? CHANGE[wanted] : START[wanted]);
            set = wanted;
        }
        const length = pair ? 2 : 1;
        numbers.push(pair ? Number(text.slice(at, at + 2)) : text.charCodeAt(at) - 32);
        at += length;
    }
    const sum = numbers.reduce((total, number, place) => total + number * Math.max(1, place), 0);
    return [...numbers, sum % 103];
}

/** Draw a text of ASCII signs. */
export function barCode(text) {
    const widths = symbols(text)
        .map((number) => SYMBOLS[number])
        .concat(STOP)
        .join("");
    let x = QUIET;
    const bars = [];
    [...widths].forEach((width, place) => {
        if (place % 2 === 0) {
            bars.push(`M ${x} 0 h ${width} v 40 h -${width} z`);
        }
        x += Number(width);
    });
    return drawing(
        "svg",
        {
            viewBox: `0 0 ${x + QUIET} 40`,
            preserveAspectRatio: "none",
            class: "bar-code",
            role: "img",
            "aria-label": text,
            "shape-rendering": "crispEdges",
        },
        drawing("path", { d: bars.join(" ") })
    );
}

/** Draw a QR code from its rows of "1" (dark) and "0" (light). */
export function qrCode(rows) {
    const side = rows.length + 8;
    const dots = rows.flatMap((row, y) =>
        [...row].map((dark, x) => (dark === "1" ? `M ${x + 4} ${y + 4} h 1 v 1 h -1 z` : ""))
    );
    return drawing(
        "svg",
        {
            viewBox: `0 0 ${side} ${side}`,
            class: "qr-code",
            "aria-hidden": "true",
            "shape-rendering": "crispEdges",
        },
        drawing("path", { d: dots.join(" ") })
    );
}
