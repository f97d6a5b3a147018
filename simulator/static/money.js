// Amounts in minor units, as people read them.

/**
 * @param {number} minor
 * @param {string} currency
 * @param {object} decimals of each currency
 */
export function money(minor, currency, decimals) {
    const digits = decimals[currency] ?? 2;
    const amount = (minor / 10 ** digits).toLocaleString("en-HK", {
        minimumFractionDigits: digits,
        maximumFractionDigits: digits,
    });
    return `${currency} ${amount}`;
}
