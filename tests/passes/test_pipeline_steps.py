"""The passes on real training steps: bits stay, and the number of tasks is as small as hoped."""

from collections import Counter

import pytest
from jax_steps import STEPS, module_of_step
from pass_tools import assert_same_bits

from spindle.ir.graph import Module, Op, walk
from spindle.options import Options
from spindle.passes.fuse_nodes import MAX_OPERANDS
from spindle.passes.pipeline import run


def fusions(module: Module) -> list[Op]:
    return [op for op in walk(module.body) if op.kind == "fusion"]


def has_dot(fusion: Op) -> bool:
    return any(op.kind == "dot_general" for op in fusion.regions[0].ops)


@pytest.mark.parametrize("name", STEPS)
@pytest.mark.parametrize("fuse", [True, False])
def test_bits_stay(name: str, fuse: bool) -> None:
    module = module_of_step(name)
    assert_same_bits(module, run(module, Options(fuse=fuse)), odd=0.01)


@pytest.mark.parametrize(("name", "most"), [("adam", 25), ("momentum", 25), ("sgd", 22)])
def test_a_step_is_few_tasks(name: str, most: int) -> None:
    lowered = run(module_of_step(name), Options())
    made = fusions(lowered)
    summary = [(len(f.operands), f.attrs["space"], len(f.results), has_dot(f)) for f in made]
    assert sum(map(has_dot, made)) == 8, summary
    assert len(made) <= most, f"{len(made)} fusions: {summary}"
    assert all(len(f.operands) + len(f.results) <= MAX_OPERANDS for f in made)
    assert Counter(op.kind for op in lowered.body.ops) == {"fusion": len(made)}


def test_adam_is_one_fusion_for_each_tensor() -> None:
    module = run(module_of_step("adam"), Options())
    updates = [f for f in fusions(module) if len(f.results) == 3 and not has_dot(f)]
    updates = [f for f in updates if f.attrs["space"] in {r.shape for r in f.results} - {()}]
    updates = [f for f in updates if all(r.shape == f.attrs["space"] for r in f.results)]
    shapes = sorted(f.attrs["space"] for f in updates)
    assert shapes == [(10,), (64,), (64, 10), (64, 128), (128,), (128, 64)]
    for update in updates:
        tensors = [v for v in update.operands if v.shape == update.attrs["space"]]
        assert len(tensors) == 4, "p, m, v and g"
        assert set(update.operands) - set(tensors) == {v for v in update.operands if not v.shape}


def test_powers_of_the_step_number_are_computed_once() -> None:
    module = run(module_of_step("adam"), Options())
    assert sum(op.kind == "power" for op in walk(module.body)) == 2


def test_weight_gradients_need_no_transpose() -> None:
    module = run(module_of_step("adam"), Options())
    dots = [op for op in walk(module.body) if op.kind == "dot_general"]
    assert sum(dot.attrs["numerics"].swapped for dot in dots) == 3


def test_a_loop_holds_fusions_only() -> None:
    module = run(module_of_step("adam_loop"), Options())
    (loop,) = [op for op in module.body.ops if op.kind == "while"]
    kinds = Counter(op.kind for op in loop.regions[1].ops)
    assert loop.attrs["trip_count"] == 2
    assert kinds["dynamic_slice"] == 2
    assert kinds["fusion"] <= 27, kinds
