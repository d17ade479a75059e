"""The virtual SpiNNaker board: ARM cores, chip parts, router and host link in C, bound by ctypes."""
