"""The helper process of an open board: it alone imports SpiNNMan, whose state is the process's."""
