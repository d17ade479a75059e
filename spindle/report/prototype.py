"""The system this one follows: what a sample cost on the prototype of 2020.

SpiDNN spread a net as one neuron per core and moved activations as packets. A layer acts on its own
timer tick only, so its schedule bounds its speed from below: computed, no measured time is printed.
"""

from __future__ import annotations

FLOOR_S_PER_SAMPLE = 0.075
"""15 ticks of 5 ms a training sample: 8 forward, 1 loss, 6 backward."""
FLOOR_CORES = 483
"""Cores its own listing counts for that net, an MLP 2-50-50-300-50-25-2."""
FLOOR_NOTE = "floor computed from its tick schedule, for its largest MLP (2-50-50-300-50-25-2)"
