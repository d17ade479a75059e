"""The whole list of passes: every pass keeps every bit, on random Modules."""

from itertools import pairwise

from hypothesis import HealthCheck, given, settings
from pass_tools import assert_same_bits, modules

from spindle.ir.graph import Module
from spindle.ir.text import from_text, to_text
from spindle.ir.verify import verify, verify_lowered
from spindle.options import Options
from spindle.passes.fuse_nodes import MAX_OPERANDS
from spindle.passes.pipeline import PASSES, run

QUIET = settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))


@QUIET
@given(module=modules())
def test_every_pass_keeps_every_bit(module: Module) -> None:
    verify(module)
    stages: list[Module] = []
    run(module, Options(), dump=lambda name, stage: stages.append(stage))
    for before, after in pairwise(stages):
        assert_same_bits(before, after)


@QUIET
@given(module=modules())
def test_without_fusion_the_bits_are_the_same(module: Module) -> None:
    alone = run(module, Options(fuse=False))
    verify_lowered(alone)
    assert_same_bits(module, alone)


@settings(QUIET, max_examples=60)
@given(module=modules())
def test_text_of_lowered_modules_reads_back(module: Module) -> None:
    lowered = run(module, Options())
    text = to_text(lowered)
    assert to_text(from_text(text)) == text


@QUIET
@given(module=modules(30))
def test_fusions_are_as_docs_spec_module_promises(module: Module) -> None:
    for fusion in run(module, Options()).body.ops:
        if fusion.kind != "fusion":
            continue
        body = fusion.regions[0]
        kinds = {op.kind for op in body.ops}
        assert 1 not in fusion.attrs["space"]
        assert len(fusion.operands) + len(fusion.results) <= MAX_OPERANDS
        assert not {"dot_general", "reduce"} <= kinds
        for op in body.ops:
            if op.kind == "broadcast_in_dim":
                assert op.operands[0].type.size < op.result.type.size
                assert 1 not in op.operands[0].shape


def test_expand_passes_leave_a_module_without_their_kinds_alone() -> None:
    text = 'module "m" {\n  param %0 : i32[2]\n  %1 = remainder %0, %0 : i32[2]\n  result %1\n}\n'
    module = from_text(text)
    for name, apply in PASSES:
        if name.startswith("expand") and name != "expand_remainder":
            assert apply(module, Options()) is module
    assert to_text(run(module, Options())).count("remainder") == 1


def test_dump_and_timings_name_every_pass() -> None:
    module = from_text('module "m" {\n  param %0 : f32[2]\n  result %0\n}\n')
    names: list[str] = []
    timings: dict[str, float] = {}
    run(module, Options(), dump=lambda name, stage: names.append(name), timings=timings)
    assert names == ["ingest", *(name for name, _ in PASSES)]
    assert list(timings) == [name for name, _ in PASSES]
