"""The virtual SpiNNaker board: ARM cores and chip parts in C, bound by ctypes."""
