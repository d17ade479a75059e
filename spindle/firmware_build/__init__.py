"""The firmware as a file that SC&MP loads: ELF, .aplx, symbols, sizes."""
