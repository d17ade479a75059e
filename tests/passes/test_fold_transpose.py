"""fold_transpose: which transposes a dot takes, which it must leave."""

from pass_tools import check

from spindle.passes.fold_transpose import fold_transpose

BFP = "numerics=DotNumerics(mode='bfp28', mantissa=28, k_block=512, swapped={})"


def dot(result: str, operands: str, type_: str, attrs: str, swapped: bool = False) -> str:
    """One dot_general line; `attrs` are the four axis lists."""
    parts = f"{attrs}, precision='DEFAULT', {BFP.format(swapped)}"
    return f"{result} = dot_general {operands} {{{parts}}} : {type_}\n"


def axes(lhs: str, rhs: str, batch: tuple[str, str] = ("()", "()")) -> str:
    lhs_batch, rhs_batch = batch
    return f"lhs_batch={lhs_batch}, lhs_contract={lhs}, rhs_batch={rhs_batch}, rhs_contract={rhs}"


def test_operand_transposes_become_other_axes() -> None:
    start = "param %0 : f32[3,2]\nparam %1 : f32[4,3]\n"
    turned = (
        "%2 = transpose %0 {permutation=(1, 0)} : f32[2,3]\n"
        "%3 = transpose %1 {permutation=(1, 0)} : f32[3,4]\n"
    )
    before = start + turned + dot("%4", "%2, %3", "f32[2,4]", axes("(1,)", "(0,)")) + "result %4"
    after = start + dot("%2", "%0, %1", "f32[2,4]", axes("(0,)", "(1,)")) + "result %2"
    check(fold_transpose, before, after)


def test_a_transposed_result_exchanges_the_operands() -> None:
    start = "param %0 : f32[5,2]\nparam %1 : f32[5,4]\n"
    before = (
        start
        + dot("%2", "%0, %1", "f32[2,4]", axes("(0,)", "(0,)"))
        + "%3 = transpose %2 {permutation=(1, 0)} : f32[4,2]\nresult %3"
    )
    after = start + dot("%2", "%1, %0", "f32[4,2]", axes("(0,)", "(0,)"), True) + "result %2"
    check(fold_transpose, before, after)


def test_a_dot_with_another_reader_keeps_its_transpose() -> None:
    text = (
        "param %0 : f32[5,2]\nparam %1 : f32[5,4]\n"
        + dot("%2", "%0, %1", "f32[2,4]", axes("(0,)", "(0,)"))
        + "%3 = transpose %2 {permutation=(1, 0)} : f32[4,2]\nresult %3\nresult %2"
    )
    check(fold_transpose, text, text)


def test_free_axes_out_of_order_keep_the_transpose() -> None:
    text = (
        "param %0 : f32[2,3,5]\nparam %1 : f32[5,4]\n"
        "%2 = transpose %0 {permutation=(1, 0, 2)} : f32[3,2,5]\n"
        + dot("%3", "%2, %1", "f32[3,2,4]", axes("(2,)", "(0,)"))
        + "result %3"
    )
    check(fold_transpose, text, text)


def test_batched_dots_exchange_behind_the_batch_axes() -> None:
    start = "param %0 : f32[2,3,5]\nparam %1 : f32[2,5,4]\n"
    batch = ("(0,)", "(0,)")
    before = (
        start
        + dot("%2", "%0, %1", "f32[2,3,4]", axes("(2,)", "(1,)", batch))
        + "%3 = transpose %2 {permutation=(0, 2, 1)} : f32[2,4,3]\nresult %3"
    )
    after = start + dot("%2", "%1, %0", "f32[2,4,3]", axes("(1,)", "(2,)", batch), True)
    check(fold_transpose, before, after + "result %2")
