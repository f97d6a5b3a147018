/* What the addon's JavaScript is checked for; run by `make lint` from the repository's root. */
const js = require("@eslint/js");
const globals = require("globals");

const rules = {
    ...js.configs.recommended.rules,
    "arrow-body-style": ["error", "as-needed"],
    curly: ["error", "all"],
    eqeqeq: ["error", "always", { null: "ignore" }],
    "no-duplicate-imports": "error",
    "no-restricted-globals": ["error", "event", "self"],
    "no-unused-vars": ["error", { args: "after-used", caughtErrors: "all" }],
    "no-var": "error",
    "object-shorthand": "error",
    "prefer-const": ["error", { destructuring: "all" }],
    "prefer-template": "error",
};

module.exports = [
    {
        files: ["static/**/*.js", "simulator/static/**/*.js"],
        languageOptions: {
            ecmaVersion: 2022,
            sourceType: "module",
            globals: { ...globals.browser, odoo: "readonly", luxon: "readonly" },
        },
        linterOptions: { reportUnusedDisableDirectives: "error" },
        rules,
    },
    {
        files: ["tools/js/*.cjs"],
        languageOptions: { sourceType: "commonjs", globals: globals.node },
        rules,
    },
];
