"""Part of Spindle; see docs/architecture.md."""
