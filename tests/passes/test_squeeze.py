"""squeeze: axes of extent 1 leave the ops that compute, reshapes move behind them."""

from pass_tools import check

from spindle.ir.graph import Module
from spindle.options import Options
from spindle.passes.simplify import simplify
from spindle.passes.squeeze import squeeze


def squeeze_and_simplify(module: Module, options: Options) -> Module:
    return simplify(squeeze(module, options), options)


def test_a_chain_over_a_column_runs_over_a_vector() -> None:
    check(
        squeeze_and_simplify,
        """param %0 : f32[4]
        param %1 : f32[4,1]
        %2 = reshape %0 : f32[4,1]
        %3 = divide %2, %1 : f32[4,1]
        %4 = sqrt %3 : f32[4,1]
        %5 = reshape %4 : f32[4]
        %6 = add %5, %0 : f32[4]
        result %6""",
        """param %0 : f32[4]
        param %1 : f32[4,1]
        %2 = reshape %1 : f32[4]
        %3 = divide %0, %2 : f32[4]
        %4 = sqrt %3 : f32[4]
        %5 = add %4, %0 : f32[4]
        result %5""",
    )


def test_a_reshape_moves_behind_what_reads_it() -> None:
    check(
        squeeze_and_simplify,
        """param %0 : f32[2,3]
        %1 = negate %0 : f32[2,3]
        %2 = reshape %1 : f32[6]
        %3 = sqrt %2 : f32[6]
        result %3""",
        """param %0 : f32[2,3]
        %1 = negate %0 : f32[2,3]
        %2 = sqrt %1 : f32[2,3]
        %3 = reshape %2 : f32[6]
        result %3""",
    )


def test_a_batch_of_one_is_a_vector_times_a_matrix() -> None:
    attrs = "precision='DEFAULT', rhs_batch=(), rhs_contract=(0,)"
    check(
        squeeze_and_simplify,
        f"""param %0 : f32[1,3]
        param %1 : f32[3,4]
        %2 = dot_general %0, %1 {{lhs_batch=(), lhs_contract=(1,), {attrs}}} : f32[1,4]
        %3 = negate %2 : f32[1,4]
        result %3""",
        f"""param %0 : f32[1,3]
        param %1 : f32[3,4]
        %2 = reshape %0 : f32[3]
        %3 = dot_general %2, %1 {{lhs_batch=(), lhs_contract=(0,), {attrs}}} : f32[4]
        %4 = negate %3 : f32[4]
        %5 = reshape %4 : f32[1,4]
        result %5""",
    )
