"""simplify: what folds, what is shared, and the float identities that do not hold."""

import pytest
from pass_tools import check, program

from spindle.options import Options
from spindle.passes.simplify import simplify


def test_constants_fold_and_equal_ops_are_shared() -> None:
    check(
        simplify,
        """param %0 : f32[4]
        %1 = constant 1.0 : f32[]
        %2 = negate %1 : f32[]
        %3 = constant 64.0 : f32[]
        %4 = divide %2, %3 : f32[]
        %5 = broadcast_in_dim %4 {dims=()} : f32[4]
        %6 = multiply %0, %5 : f32[4]
        %7 = multiply %0, %5 : f32[4]
        %8 = add %6, %7 : f32[4]
        result %8""",
        """param %0 : f32[4]
        %1 = constant -0.015625 : f32[4]
        %2 = multiply %0, %1 : f32[4]
        %3 = add %2, %2 : f32[4]
        result %3""",
    )


def test_large_constants_do_not_fold_but_splats_do() -> None:
    check(
        simplify,
        """%0 = constant 3.0 : f32[1000,1000]
        %1 = sqrt %0 : f32[1000,1000]
        %2 = slice %1 {limit=(2, 2), start=(0, 0), strides=(1, 1)} : f32[2,2]
        result %2""",
        """%0 = constant 1.7320508 : f32[2,2]
        result %0""",
    )


@pytest.mark.parametrize(
    "line",
    [
        "%c = constant 0.0 : f32[4]\n%r = add %1, %c : f32[4]",
        "%c = constant -0.0 : f32[4]\n%r = add %1, %c : f32[4]",
        "%c = constant 1.0 : f32[4]\n%r = multiply %1, %c : f32[4]",
        "%c = constant 0.0 : f32[4]\n%r = multiply %1, %c : f32[4]",
        "%c = constant -inf : f32[4]\n%r = maximum %1, %c : f32[4]",
        "%r = subtract %1, %1 : f32[4]",
        "%r = compare %1, %1 {direction='EQ'} : i1[4]",
    ],
)
def test_float_identities_that_would_change_bits_stay(line: str) -> None:
    text = "param %1 : f32[4]\n" + line + "\nresult %r"
    check(simplify, text, text)


@pytest.mark.parametrize(
    ("line", "goes"),
    [
        ("%c = constant 1.0 : f32[4]\n%r = multiply %x, %c : f32[4]", True),
        ("%c = constant 1.0 : f32[4]\n%r = divide %x, %c : f32[4]", True),
        ("%c = constant -0.0 : f32[4]\n%r = add %c, %x : f32[4]", True),
        ("%c = constant 0.0 : f32[4]\n%r = subtract %x, %c : f32[4]", True),
        ("%c = constant 0.0 : f32[4]\n%r = add %c, %x : f32[4]", False),
        ("%c = constant inf : f32[4]\n%r = minimum %x, %c : f32[4]", True),
        ("%c = constant bits'7fc00001' : f32[4]\n%r = multiply %x, %c : f32[4]", False),
    ],
)
def test_identities_of_a_product_whose_nan_is_the_one_nan(line: str, goes: bool) -> None:
    start = "param %0 : f32[4]\n%x = multiply %0, %0 : f32[4]\n"
    after = "result %x" if goes else f"{line}\nresult %r"
    check(simplify, f"{start}{line}\nresult %r", start + after)


@pytest.mark.parametrize(
    "line",
    [
        "%c = constant 0 : i32[4]\n%r = add %c, %x : i32[4]",
        "%c = constant 0 : i32[4]\n%r = or %x, %c : i32[4]",
        "%c = constant -1 : i32[4]\n%r = and %c, %x : i32[4]",
        "%c = constant 1 : i32[4]\n%r = multiply %x, %c : i32[4]",
        "%c = constant 1 : i32[4]\n%r = divide %x, %c : i32[4]",
        "%c = constant 0 : i32[4]\n%r = shift_left %x, %c : i32[4]",
        "%r = maximum %x, %x : i32[4]",
        "%r = convert %x : i32[4]",
        "%r = reshape %x : i32[4]",
        "%r = transpose %x {permutation=(0,)} : i32[4]",
        "%r = slice %x {limit=(4,), start=(0,), strides=(1,)} : i32[4]",
        "%r = broadcast_in_dim %x {dims=(0,)} : i32[4]",
        "%r = concatenate %x {dim=0} : i32[4]",
        "%p = constant True : i1[4]\n%r = select %p, %x, %0 : i32[4]",
    ],
)
def test_integer_and_shape_identities(line: str) -> None:
    start = "param %0 : i32[4]\nparam %x : i32[4]\n"
    check(simplify, f"{start}{line}\nresult %r", f"{start}result %x")


def test_zero_times_an_integer_is_zero() -> None:
    check(
        simplify,
        """param %0 : i32[4]
        %1 = constant 0 : i32[4]
        %2 = multiply %0, %1 : i32[4]
        result %2""",
        """param %0 : i32[4]
        %1 = constant 0 : i32[4]
        result %1""",
    )


def test_broadcasts_and_reshapes_become_one_broadcast() -> None:
    check(
        simplify,
        """param %0 : f32[4]
        %1 = reshape %0 : f32[4,1]
        %2 = broadcast_in_dim %1 {dims=(0, 1)} : f32[4,3]
        %3 = broadcast_in_dim %2 {dims=(2, 3)} : f32[2,1,4,3]
        %4 = reshape %3 : f32[2,4,3]
        result %4""",
        """param %0 : f32[4]
        %1 = broadcast_in_dim %0 {dims=(1,)} : f32[2,4,3]
        result %1""",
    )


def test_a_broadcast_with_turned_axes_is_a_small_transpose_first() -> None:
    check(
        simplify,
        """param %0 : f32[4,3]
        %1 = broadcast_in_dim %0 {dims=(2, 0)} : f32[3,5,4]
        result %1""",
        """param %0 : f32[4,3]
        %1 = transpose %0 {permutation=(1, 0)} : f32[3,4]
        %2 = broadcast_in_dim %1 {dims=(0, 2)} : f32[3,5,4]
        result %2""",
    )


def test_scalar_chains_run_before_their_broadcast() -> None:
    check(
        simplify,
        """param %0 : f32[]
        param %1 : f32[4]
        %2 = broadcast_in_dim %0 {dims=()} : f32[4]
        %3 = constant 2.0 : f32[4]
        %4 = multiply %2, %3 : f32[4]
        %5 = sqrt %4 : f32[4]
        %6 = divide %1, %5 : f32[4]
        result %6""",
        """param %0 : f32[]
        param %1 : f32[4]
        %2 = constant 2.0 : f32[]
        %3 = multiply %0, %2 : f32[]
        %4 = sqrt %3 : f32[]
        %5 = broadcast_in_dim %4 {dims=()} : f32[4]
        %6 = divide %1, %5 : f32[4]
        result %6""",
    )


def test_a_one_hot_compares_with_a_full_iota() -> None:
    check(
        simplify,
        """param %0 : i32[4]
        %1 = iota {dim=1} : i32[1,3]
        %2 = broadcast_in_dim %1 {dims=(0, 1)} : i32[4,3]
        %3 = broadcast_in_dim %0 {dims=(0,)} : i32[4,3]
        %4 = compare %3, %2 {direction='EQ'} : i1[4,3]
        %5 = convert %4 : i32[4,3]
        %6 = convert %5 : f32[4,3]
        result %6""",
        """param %0 : i32[4]
        %1 = iota {dim=1} : i32[4,3]
        %2 = broadcast_in_dim %0 {dims=(0,)} : i32[4,3]
        %3 = compare %2, %1 {direction='EQ'} : i1[4,3]
        %4 = convert %3 : f32[4,3]
        result %4""",
    )


def test_a_sum_over_one_element_keeps_the_init_for_minus_zero() -> None:
    check(
        simplify,
        """param %0 : f32[1,4]
        %1 = constant 0.0 : f32[]
        %2 = reduce %0, %1 {dims=(0,), reducer='add'} : f32[4]
        result %2""",
        """param %0 : f32[1,4]
        %1 = reshape %0 : f32[4]
        %2 = constant 0.0 : f32[4]
        %3 = add %2, %1 : f32[4]
        result %3""",
    )


def test_a_second_sum_over_one_element_goes() -> None:
    check(
        simplify,
        """param %0 : f32[3,4]
        %1 = constant 0.0 : f32[]
        %2 = reduce %0, %1 {dims=(0,), reducer='add'} : f32[4]
        %3 = reshape %2 : f32[1,4]
        %4 = reduce %3, %1 {dims=(0,), reducer='add'} : f32[4]
        result %4""",
        """param %0 : f32[3,4]
        %1 = constant 0.0 : f32[]
        %2 = reduce %0, %1 {dims=(0,), reducer='add'} : f32[4]
        result %2""",
    )


def test_a_loop_is_read_past_where_it_changes_nothing() -> None:
    loop = """param %0 : f32[2]
        param %1 : i32[]
        %2, %3 = while %1, %0 {trip_count=3} : i32[], f32[2] {
          param %4 : i32[]
          param %5 : f32[2]
          %6 = constant 3 : i32[]
          %7 = compare %4, %6 {direction='LT'} : i1[]
          return %7
        } {
          param %8 : i32[]
          param %9 : f32[2]
          %10 = constant 1 : i32[]
          %11 = add %8, %10 : i32[]
          return %11, %9
        }
        """
    check(simplify, loop + "result %2\nresult %3", loop + "result %2\nresult %0")


def test_dead_ops_go_inside_loops_too() -> None:
    module = program(
        """param %0 : i32[]
        %1 = while %0 {trip_count=2} : i32[] {
          param %2 : i32[]
          %3 = constant 2 : i32[]
          %4 = compare %2, %3 {direction='LT'} : i1[]
          %5 = not %4 : i1[]
          return %4
        } {
          param %6 : i32[]
          %7 = constant 1 : i32[]
          %8 = add %6, %7 : i32[]
          %9 = multiply %8, %8 : i32[]
          return %8
        }
        result %1"""
    )
    (loop,) = simplify(module, Options()).body.ops
    assert [len(region.ops) for region in loop.regions] == [2, 2]
