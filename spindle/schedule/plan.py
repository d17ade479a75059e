"""Module -> Plan: the entry of schedule/.

In: a lowered Module (docs/spec/module.md) and Options. Out: a Plan with tiles, lanes, barriers,
memory. Nothing here changes bits: they are fixed in the Module.
"""

from __future__ import annotations

from dataclasses import asdict

from spindle.ir import plan_check
from spindle.ir.graph import Module
from spindle.ir.plan import Plan
from spindle.options import Options
from spindle.schedule import layout, order, region, tile_cost
from spindle.schedule.jobs import Block, Buf, map_addrs
from spindle.schedule.lower import Constants, Lowering
from spindle.schedule.memory import place

_N_LARGEST = 12


def plan(module: Module, options: Options) -> Plan:
    """Schedule a module for 16 lanes of a chip.

    Raises UnsupportedError for an access pattern no task can have yet.
    """
    ctx = Lowering(options, Constants())
    params = module.body.params
    for index, param in enumerate(params):
        ctx.bufs[param] = ctx.new_buf(
            param.type.size_bytes, _name(module.param_names, index), segment=f"arg{index}"
        )
    homes = [_home(ctx, module, index) for index in range(len(module.body.returns))]
    donors = [module.donated.get(index) for index in range(len(homes))]
    olds = [None if donor is None else params[donor] for donor in donors]
    region.lower(ctx, module.body, homes, olds)
    groups = order.epochs(ctx.block)
    laid_out = layout.steps(
        groups, ctx.resident
    )  # before placing: tiles decide the size of some Bufs
    placed, scratch_bytes = place(ctx.block, groups)
    result = Plan(
        module.name,
        tuple(map_addrs(step, placed) for step in laid_out),
        tuple(param.type for param in params),
        tuple(value.type for value in module.body.returns),
        dict(module.donated),
        bytes(ctx.constants.data),
        scratch_bytes,
        module.param_names,
        module.result_names,
        _largest(ctx.block),
        asdict(options),
    )
    plan_check.check(result, tile_cost.work_words)
    return result


def _name(names: tuple[str, ...], index: int) -> str:
    return names[index] if index < len(names) else f"argument {index}"


def _home(ctx: Lowering, module: Module, index: int) -> Buf:
    value = module.body.returns[index]
    donor = module.donated.get(index)
    over = None if donor is None else ctx.bufs[module.body.params[donor]]
    name = module.result_names[index] if index < len(module.result_names) else f"result {index}"
    return ctx.new_buf(value.type.size_bytes, name, segment=f"result{index}", over=over)


def _largest(block: Block) -> tuple[tuple[str, int, str], ...]:
    bufs = [b for b in block.bufs if b.root is b]
    bufs.sort(key=lambda b: -b.size_bytes)
    return tuple((b.name, b.size_bytes, b.loc) for b in bufs[:_N_LARGEST])
