"""integer_dot: no dot_general of integers is left, float ones stay."""

from pass_tools import check

from spindle.passes.integer_dot import integer_dot


def test_a_batched_dot_is_a_product_and_a_sum() -> None:
    attrs = "lhs_batch=(1,), rhs_batch=(0,), lhs_contract=(0,), rhs_contract=(2,)"
    check(
        integer_dot,
        f"""param %0 : i32[4,2,3]
        param %1 : i32[2,5,4]
        %2 = dot_general %0, %1 {{{attrs}, precision='DEFAULT'}} : i32[2,3,5]
        result %2""",
        """param %0 : i32[4,2,3]
        param %1 : i32[2,5,4]
        %2 = broadcast_in_dim %0 {dims=(3, 0, 1)} : i32[2,3,5,4]
        %3 = broadcast_in_dim %1 {dims=(0, 2, 3)} : i32[2,3,5,4]
        %4 = multiply %2, %3 : i32[2,3,5,4]
        %5 = constant 0 : i32[]
        %6 = reduce %4, %5 {dims=(3,), reducer='add'} : i32[2,3,5]
        result %6""",
    )


def test_float_dots_stay() -> None:
    attrs = "lhs_batch=(), rhs_batch=(), lhs_contract=(1,), rhs_contract=(0,)"
    text = f"""param %0 : f32[3,4]
        param %1 : f32[4,5]
        %2 = dot_general %0, %1 {{{attrs}, precision='DEFAULT'}} : f32[3,5]
        result %2"""
    check(integer_dot, text, text)
