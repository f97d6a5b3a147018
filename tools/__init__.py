"""Set-up, demonstration, tests and checks of the addon on a bare machine (standard library only)."""
