"""canonical_reduce: contiguous axes and constant inits."""

from pass_tools import check

from spindle.passes.canonical_reduce import canonical_reduce


def test_scattered_axes_move_last_in_their_order() -> None:
    check(
        canonical_reduce,
        """param %0 : f32[3,4,5]
        %1 = constant 0.0 : f32[]
        %2 = reduce %0, %1 {dims=(0, 2), reducer='add'} : f32[4]
        result %2""",
        """param %0 : f32[3,4,5]
        %1 = constant 0.0 : f32[]
        %2 = transpose %0 {permutation=(1, 0, 2)} : f32[4,3,5]
        %3 = reduce %2, %1 {dims=(1, 2), reducer='add'} : f32[4]
        result %3""",
    )


def test_a_computed_init_is_combined_afterwards() -> None:
    check(
        canonical_reduce,
        """param %0 : f32[3,4]
        param %1 : f32[]
        %2 = reduce %0, %1 {dims=(0,), reducer='add'} : f32[4]
        result %2""",
        """param %0 : f32[3,4]
        param %1 : f32[]
        %2 = constant -0.0 : f32[]
        %3 = reduce %0, %2 {dims=(0,), reducer='add'} : f32[4]
        %4 = broadcast_in_dim %1 {dims=()} : f32[4]
        %5 = add %4, %3 : f32[4]
        result %5""",
    )


def test_neighbouring_axes_stay() -> None:
    text = """param %0 : f32[3,4,5]
        %1 = constant -inf : f32[]
        %2 = reduce %0, %1 {dims=(0, 1), reducer='maximum'} : f32[5]
        result %2"""
    check(canonical_reduce, text, text)


def test_a_reduce_of_nothing_is_its_init() -> None:
    check(
        canonical_reduce,
        """param %0 : f32[3,0]
        param %1 : f32[]
        %2 = reduce %0, %1 {dims=(1,), reducer='add'} : f32[3]
        result %2""",
        """param %0 : f32[3,0]
        param %1 : f32[]
        %2 = broadcast_in_dim %1 {dims=()} : f32[3]
        result %2""",
    )
