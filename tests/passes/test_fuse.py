"""fuse: what shares a task, what may not, and the limits of a strip program."""

from pass_tools import assert_same_bits, check, program

from spindle.ir.graph import Module, Op
from spindle.ir.verify import verify_lowered
from spindle.options import Options
from spindle.passes.fuse import fuse
from spindle.passes.fuse_nodes import MAX_LIVE, MAX_OPERANDS, MAX_RECORD

DOT = (
    "lhs_batch=(), lhs_contract=(1,), numerics=DotNumerics(mode='bfp28', mantissa=28, k_block=512,"
    " swapped=False), precision='DEFAULT', rhs_batch=(), rhs_contract=(0,)"
)
TREE = "numerics=ReduceTree(block=256), reducer='add'"


def fused(lines: str, fuse_: bool = True) -> Module:
    """Fuse a program; check the grammar and the bits."""
    before = program(lines)
    after = fuse(before, Options(fuse=fuse_))
    verify_lowered(after)
    assert_same_bits(before, after, seeds=3)
    return after


def kinds(op: Op) -> list[str]:
    """The kinds of a fusion's body, constants left out."""
    return [inner.kind for inner in op.regions[0].ops if inner.kind != "constant"]


def test_a_dot_takes_bias_relu_and_mask() -> None:
    check(
        fuse,
        f"""param %0 : f32[4,3]
        param %1 : f32[3,2]
        param %2 : f32[2]
        %3 = dot_general %0, %1 {{{DOT}}} : f32[4,2]
        %4 = broadcast_in_dim %2 {{dims=(1,)}} : f32[4,2]
        %5 = add %3, %4 : f32[4,2]
        %6 = constant 0.0 : f32[4,2]
        %7 = maximum %5, %6 : f32[4,2]
        %8 = compare %5, %6 {{direction='GT'}} : i1[4,2]
        result %7
        result %8""",
        f"""param %0 : f32[4,3]
        param %1 : f32[3,2]
        param %2 : f32[2]
        %a, %b = fusion %0, %1, %2 {{space=(4, 2)}} : f32[4,2], i1[4,2] {{
          param %3 : f32[4,3]
          param %4 : f32[3,2]
          param %5 : f32[2]
          %6 = dot_general %3, %4 {{{DOT}}} : f32[4,2]
          %7 = broadcast_in_dim %5 {{dims=(1,)}} : f32[4,2]
          %8 = add %6, %7 : f32[4,2]
          %9 = constant 0.0 : f32[4,2]
          %10 = maximum %8, %9 : f32[4,2]
          %11 = compare %8, %9 {{direction='GT'}} : i1[4,2]
          return %10, %11
        }}
        result %a
        result %b""",
    )


def test_a_gelu_after_a_dot_is_its_epilogue() -> None:
    module = fused(
        f"""param %0 : f32[4,3]
        param %1 : f32[3,2]
        %2 = dot_general %0, %1 {{{DOT}}} : f32[4,2]
        %3 = tanh %2 : f32[4,2]
        %4 = multiply %2, %3 : f32[4,2]
        %5 = dot_general %4, %0 {{{DOT.replace("(1,)", "(0,)")}}} : f32[2,3]
        result %5"""
    )
    assert [kinds(op) for op in module.body.ops] == [
        ["dot_general", "tanh", "multiply"],
        ["dot_general"],
    ]


def test_a_dot_leaves_sums_and_updates_to_others() -> None:
    module = fused(
        f"""param %0 : f32[4,3]
        param %1 : f32[3,2]
        param %2 : f32[4,2]
        %3 = dot_general %0, %1 {{{DOT}}} : f32[4,2]
        %4 = constant 0.0 : f32[]
        %5 = reduce %3, %4 {{dims=(0,), {TREE}}} : f32[2]
        %6 = constant 0.5 : f32[4,2]
        %7 = multiply %2, %6 : f32[4,2]
        %8 = multiply %3, %6 : f32[4,2]
        %9 = add %7, %8 : f32[4,2]
        result %5
        result %9"""
    )
    assert [kinds(op) for op in module.body.ops] == [
        ["dot_general"],
        ["multiply", "multiply", "add", "reduce"],
    ]


def test_a_softmax_is_cut_where_its_sums_are_needed() -> None:
    module = fused(
        f"""param %0 : f32[4,3]
        %1 = constant -inf : f32[]
        %2 = reduce %0, %1 {{dims=(1,), reducer='maximum'}} : f32[4]
        %3 = broadcast_in_dim %2 {{dims=(0,)}} : f32[4,3]
        %4 = subtract %0, %3 : f32[4,3]
        %5 = exponential %4 : f32[4,3]
        %6 = constant 0.0 : f32[]
        %7 = reduce %5, %6 {{dims=(1,), {TREE}}} : f32[4]
        %8 = broadcast_in_dim %7 {{dims=(0,)}} : f32[4,3]
        %9 = divide %5, %8 : f32[4,3]
        result %9"""
    )
    assert [kinds(op) for op in module.body.ops] == [
        ["reduce"],
        ["broadcast_in_dim", "subtract", "exponential", "reduce"],
        ["broadcast_in_dim", "divide"],
    ]


def test_reduces_over_other_axes_are_other_tasks() -> None:
    module = fused(
        f"""param %0 : f32[4,4]
        %1 = constant 0.0 : f32[]
        %2 = negate %0 : f32[4,4]
        %3 = reduce %2, %1 {{dims=(0,), {TREE}}} : f32[4]
        %4 = reduce %2, %1 {{dims=(1,), {TREE}}} : f32[4]
        result %3
        result %4"""
    )
    assert len(module.body.ops) == 2


def test_cheap_ops_are_cloned_and_made_whole_only_where_needed() -> None:
    module = fused(
        """param %0 : i32[4]
        param %1 : f32[4,3]
        %2 = broadcast_in_dim %0 {dims=(0,)} : i32[4,3]
        %3 = iota {dim=1} : i32[4,3]
        %4 = compare %2, %3 {direction='EQ'} : i1[4,3]
        %5 = convert %4 : f32[4,3]
        %6 = multiply %5, %1 : f32[4,3]
        %7 = transpose %5 {permutation=(1, 0)} : f32[3,4]
        result %6
        result %7"""
    )
    one_hot = ["broadcast_in_dim", "iota", "compare", "convert"]
    bodies = [kinds(op) for op in module.body.ops if op.kind == "fusion"]
    assert bodies == [one_hot, [*one_hot, "multiply"]]
    assert module.body.ops[-1].kind == "transpose"


def test_independent_scalars_are_one_task() -> None:
    module = fused(
        """param %0 : f32[]
        param %1 : i32[]
        %2 = constant 1 : i32[]
        %3 = add %1, %2 : i32[]
        %4 = sqrt %0 : f32[]
        result %3
        result %4"""
    )
    assert len(module.body.ops) == 1


def test_fusions_that_read_one_tensor_join_unless_one_needs_the_other() -> None:
    module = fused(
        """param %0 : f32[4]
        param %1 : f32[4]
        %2 = add %0, %1 : f32[4]
        %3 = multiply %0, %0 : f32[4]
        %4 = slice %3 {limit=(1,), start=(0,), strides=(1,)} : f32[1]
        %5 = reshape %4 : f32[]
        %6 = broadcast_in_dim %5 {dims=()} : f32[4]
        %7 = multiply %0, %6 : f32[4]
        result %2
        result %7"""
    )
    assert [kinds(op) for op in module.body.ops if op.kind == "fusion"] == [
        ["add", "multiply"],
        ["broadcast_in_dim", "multiply"],
    ]


def test_operands_and_results_stay_within_the_registers() -> None:
    params = "\n".join(f"param %p{i} : f32[8]" for i in range(40))
    sums = "\n".join(
        f"%s{i} = add %{'p0' if i == 1 else f's{i - 1}'}, %p{i} : f32[8]" for i in range(1, 40)
    )
    module = fused(f"{params}\n{sums}\nresult %s39\nresult %s3")
    counts = [len(op.operands) + len(op.results) for op in module.body.ops]
    assert max(counts) == MAX_OPERANDS
    assert len(counts) <= 5


def test_values_alive_stay_within_the_temporaries() -> None:
    n = MAX_LIVE + 8
    params = "\n".join(f"param %s{i} : f32[]\nparam %x{i} : f32[8]" for i in range(3))
    products = "\n".join(
        f"%c{i} = constant {i + 2}.0 : f32[8]\n%m{i} = multiply %x0, %c{i} : f32[8]"
        for i in range(n)
    )
    total = f"%t0 = negate %m{n - 1} : f32[8]\n" + "\n".join(
        f"%t{i} = add %t{i - 1}, %m{n - 1 - i} : f32[8]" for i in range(1, n)
    )
    module = fused(f"{params}\n{products}\n{total}\nresult %t{n - 1}")
    assert len(module.body.ops) > 1
    assert all(peak(op) <= MAX_LIVE for op in module.body.ops)


def test_constants_take_temporaries_and_room_in_the_record() -> None:
    steps = ["%0 = multiply %x, %x : f32[9]"]
    for k in range(200):
        steps.append(f"%c{k} = constant {k % 60 + 2}.0 : f32[9]")
        steps.append(f"%{k + 1} = add %{k}, %c{k} : f32[9]")
    module = fused("param %x : f32[9]\n" + "\n".join(steps) + "\nresult %200")
    for fusion in module.body.ops:
        body = fusion.regions[0].ops
        n_constants = sum(op.kind == "constant" for op in body)
        assert n_constants + 1 <= MAX_LIVE
        assert len(body) + 7 * (len(fusion.operands) + len(fusion.results)) <= MAX_RECORD


def test_what_a_reduce_reads_stands_before_all_reduces() -> None:
    """The second sum alone reads the comparison, which is no task of its own."""
    module = fused(
        """param %x : i32[4,8]
        param %y : i32[4,8]
        %zero = constant 0 : i32[]
        %no = constant False : i1[]
        %s = reduce %x, %zero {dims=(1,), reducer='add'} : i32[4]
        %c = compare %x, %y {direction='LT'} : i1[4,8]
        %any = reduce %c, %no {dims=(1,), reducer='or'} : i1[4]
        result %s
        result %any"""
    )
    (fusion,) = module.body.ops
    kinds = [op.kind for op in fusion.regions[0].ops if op.kind != "constant"]
    assert kinds == ["compare", "reduce", "reduce"]


def test_different_constants_keep_a_temporary_each() -> None:
    n = MAX_LIVE + 8
    lines = [f"%c{i} = constant {i + 2}.0 : f32[8]" for i in range(n)]
    lines += [f"%t{i} = add %{f't{i - 1}' if i else 'x'}, %c{i} : f32[8]" for i in range(n)]
    module = fused("\n".join(["param %x : f32[8]", *lines, f"result %t{n - 1}"]))
    kept = [sum(op.kind == "constant" for op in f.regions[0].ops) for f in module.body.ops]
    assert len(kept) == 2 and sum(kept) == n
    assert all(peak(f) + k <= MAX_LIVE for f, k in zip(module.body.ops, kept, strict=True))


def peak(fusion: Op) -> int:
    """Most values of a body alive at once, results and constants left out, counted anew."""
    body = fusion.regions[0]
    ops = [op for op in body.ops if op.kind not in ("constant", "reduce")]
    alive = [
        sum(
            first.result not in body.returns
            and any(first.result in later.operands for later in body.ops[body.ops.index(at) :])
            for first in ops[: i + 1]
        )
        for i, at in enumerate(ops)
    ]
    return max(alive)


def test_without_fusion_every_op_is_a_task() -> None:
    module = fused(
        f"""param %0 : f32[4,3]
        param %1 : f32[4]
        %2 = broadcast_in_dim %1 {{dims=(0,)}} : f32[4,3]
        %3 = add %0, %2 : f32[4,3]
        %4 = negate %3 : f32[4,3]
        %5 = constant 0.0 : f32[]
        %6 = reduce %4, %5 {{dims=(0,), {TREE}}} : f32[3]
        result %6""",
        fuse_=False,
    )
    assert [kinds(op) for op in module.body.ops] == [
        ["broadcast_in_dim", "add"],
        ["negate"],
        ["reduce"],
    ]


def test_a_returned_splat_and_parameter_need_no_task() -> None:
    module = fused(
        """param %0 : f32[4]
        %1 = constant 2.0 : f32[4]
        result %0
        result %1"""
    )
    assert [op.kind for op in module.body.ops] == ["constant"]
