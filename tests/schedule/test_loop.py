"""Loops: what lanes read to leave one stays as it is, however far another lane has gone."""

from __future__ import annotations

from collections.abc import Iterator

from spindle.ir.plan import Loop, Operand, Step, Task, TaskStep, While
from spindle.ir.text import from_text
from spindle.options import Options
from spindle.passes.pipeline import run
from spindle.schedule.plan import plan

HALVING = """param %0 : f32[7,10]
    param %1 : f32[7,10]
    %2, %3 = while %0, %1 {{trip_count={trips}}} : f32[7,10], f32[7,10] {{
      param %a : f32[7,10]
      param %b : f32[7,10]
      %n = constant 9 : f32[]
      %m = constant -inf : f32[]
      %r = reduce %a, %m {{dims=(0, 1), reducer='maximum'}} : f32[]
      %t = compare %r, %n {{direction='GT'}} : i1[]
      return %t
    }} {{
      param %a : f32[7,10]
      param %b : f32[7,10]
      {body}
      return %y, %z
    }}
    %4 = add %2, %3 : f32[7,10]
    %5 = subtract %2, %3 : f32[7,10]
    %6 = transpose %4 {{permutation=(1, 0)}} : f32[10,7]
    %7 = transpose %5 {{permutation=(1, 0)}} : f32[10,7]
    %8 = add %6, %7 : f32[10,7]
    %9 = tanh %8 : f32[10,7]
    result %9"""
PLAIN = "%y = multiply %a, %b : f32[7,10]\n %z = add %a, %b : f32[7,10]"
NESTED = """%y, %z = while %a, %b {trip_count=None} : f32[7,10], f32[7,10] {
        param %c : f32[7,10]
        param %d : f32[7,10]
        %n = constant 3 : f32[]
        %m = constant -inf : f32[]
        %r = reduce %c, %m {dims=(0, 1), reducer='maximum'} : f32[]
        %t = compare %r, %n {direction='GT'} : i1[]
        return %t
      } {
        param %c : f32[7,10]
        param %d : f32[7,10]
        %v = multiply %c, %d : f32[7,10]
        %w = subtract %c, %d : f32[7,10]
        return %v, %w
      }"""


def walk(steps: tuple[Step, ...], inside: tuple[While, ...] = ()) -> Iterator[tuple[Step, object]]:
    """Yield every step with the loops of whose condition it is a part."""
    for step in steps:
        yield step, inside
        if isinstance(step, While):
            yield from walk(step.cond, (*inside, step))
        if isinstance(step, While | Loop):
            yield from walk(step.body, inside)


def stores_at(task: Task, operand: Operand, offset: int) -> bool:
    """Whether a task stores to a word of scratch."""
    reach = sum((n - 1) * step for n, step in zip(task.extent, operand.stride, strict=True))
    inside = operand.addr.offset <= offset <= operand.addr.offset + reach
    return operand.store and operand.addr.segment == "scratch" and inside


def is_left_alone(body: str, trips: int | None, loops: int) -> None:
    """Check that only its own condition stores where a loop's condition lies."""
    text = HALVING.format(body=body, trips=trips)
    module = run(from_text(f'module "halving" {{\n{text}\n}}'), Options())
    steps = list(walk(plan(module, Options()).steps))
    whiles = [step for step, _ in steps if isinstance(step, While)]
    assert len(whiles) == loops
    for loop in whiles:
        for step, inside in steps:
            if isinstance(step, TaskStep) and loop not in inside:
                task, offset = step.task, loop.addr.offset
                assert not any(stores_at(task, operand, offset) for operand in task.operands)


def test_the_condition_of_a_loop() -> None:
    is_left_alone(PLAIN, None, 1)


def test_the_conditions_of_nested_loops() -> None:
    is_left_alone(NESTED, None, 2)
    is_left_alone(NESTED, 3, 1)
