"""expand_case: branches computed and selected; loops that may not end carry whether they run."""

from pass_tools import assert_same_bits, check, program

from spindle.ir.graph import walk
from spindle.options import Options
from spindle.passes.expand_case import expand_case


def test_two_branches() -> None:
    check(
        expand_case,
        """param %0 : i32[]
        param %1 : f32[2]
        %2 = case %0, %1 : f32[2] {
          param %3 : f32[2]
          %4 = negate %3 : f32[2]
          return %4
        } {
          param %5 : f32[2]
          return %5
        }
        result %2""",
        """param %0 : i32[]
        param %1 : f32[2]
        %2 = constant 0 : i32[]
        %3 = compare %0, %2 {direction='EQ'} : i1[]
        %4 = constant 0 : i32[]
        %5 = compare %0, %4 {direction='LT'} : i1[]
        %6 = constant 1 : i32[]
        %7 = compare %0, %6 {direction='GE'} : i1[]
        %8 = or %5, %7 : i1[]
        %9 = negate %1 : f32[2]
        %10 = broadcast_in_dim %3 {dims=()} : i1[2]
        %11 = select %10, %9, %1 : f32[2]
        result %11""",
    )


LOOP = """param %0 : i32[]
        param %1 : i32[]
        %2 = case %0, %1 : i32[] {
          param %3 : i32[]
          %4 = while %3 {trip_count=TRIPS} : i32[] {
            param %5 : i32[]
            %6 = constant 9 : i32[]
            %7 = compare %5, %6 {direction='LT'} : i1[]
            return %7
          } {
            param %8 : i32[]
            %9 = constant 3 : i32[]
            %10 = or %8, %9 : i32[]
            %11 = add %10, %9 : i32[]
            return %11
          }
          return %4
        } {
          param %12 : i32[]
          return %12
        }
        result %2"""


def test_only_a_loop_without_trip_count_carries_whether_it_runs() -> None:
    for trips, carried in (("None", 2), ("2", 1)):
        module = program(LOOP.replace("TRIPS", trips))
        expanded = expand_case(module, Options())
        (loop,) = [op for op in walk(expanded.body) if op.kind == "while"]
        assert len(loop.operands) == carried
        assert_same_bits(module, expanded, seeds=4)
