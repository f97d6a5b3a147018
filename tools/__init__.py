"""Set-up, demonstration, tests and checks of the addon, from a bare machine on."""
