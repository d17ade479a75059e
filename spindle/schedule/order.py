"""Order jobs into epochs: everything between two barriers is independent.

In: a Block. Out: epochs (lists of jobs).
"""

from __future__ import annotations

from collections.abc import Set

from spindle.errors import InternalError
from spindle.schedule.jobs import Block, Job, predecessors

_HEAVY = 3
"""A job moves into an epoch of so many times its work."""


def epochs(block: Block) -> list[list[Job]]:
    """Put jobs into epochs: the earliest, or a later one whose computing hides a job's transfers.

    An `alone` job gets its own. Raises InternalError when jobs wait for each other (an overwrite
    that was not allowed).
    """
    before = predecessors(block)
    earliest = _earliest(block, before)
    return _relaxed(block, before, earliest)


def _earliest(block: Block, before: dict[Job, set[Job]]) -> dict[Job, int]:
    epoch_of: dict[Job, int] = {}
    left = list(block.jobs)
    number = 0
    while left:
        ready = _ready(left, before, epoch_of.keys())
        if not ready:
            names = [buf.name for job in left for buf in job.writes]
            raise InternalError(f"jobs wait for each other; they write {names[:4]}")
        chosen = [job for job in ready if not job.alone] or ready[:1]
        epoch_of |= dict.fromkeys(chosen, number)
        left = [job for job in left if job not in epoch_of]
        number += 1
    return epoch_of


def _ready(left: list[Job], before: dict[Job, set[Job]], done: Set[Job]) -> list[Job]:
    """Jobs that nothing keeps waiting but registers that their own epoch sets."""
    sets = {job for job in left if job.sets and before[job] <= done}
    return [
        job
        for job in left
        if all(other in done or (other in sets and not _apart(other, job)) for other in before[job])
    ]


def _apart(first: Job, then: Job) -> int:
    """Epochs between a job and one that waits for it: none where that uses its registers only."""
    if not first.sets or any(buf.over in first.reads for buf in then.writes):
        return 1
    return 0 if any(buf in first.writes for buf in then.reads) else 1


def _relaxed(
    block: Block, before: dict[Job, set[Job]], earliest: dict[Job, int]
) -> list[list[Job]]:
    """Move light jobs that can wait to the epoch with most work that they can reach.

    A job that leaves lanes to another one waits for it.
    """
    count = max(earliest.values(), default=-1) + 1
    work = [0.0] * count
    for job, epoch in earliest.items():
        work[epoch] += float("-inf") if job.alone else job.work
    latest = _latest(block, before, earliest, count)
    taken = {earliest[job] for job in block.jobs if job.alone}
    chosen: dict[Job, int] = {}
    for job in sorted(block.jobs, key=lambda j: earliest[j]):
        low = max([earliest[job], *(chosen[other] + _apart(other, job) for other in before[job])])
        reach = [e for e in range(low, latest[job] + 1) if job.alone or e not in taken]
        best = max(reach, key=lambda epoch: (work[epoch], -epoch))
        hidden = not (job.alone or job.sets) and work[best] > _HEAVY * job.work
        chosen[job] = best if hidden else reach[0]
    for job in block.jobs:
        if job.beside and chosen[job] < chosen[job.beside] <= latest[job]:
            chosen[job] = chosen[job.beside]
    groups: list[list[Job]] = [[] for _ in range(count)]
    for job in block.jobs:
        groups[chosen[job]].append(job)
    return [group for group in groups if group]


def _latest(
    block: Block, before: dict[Job, set[Job]], earliest: dict[Job, int], count: int
) -> dict[Job, int]:
    """Last epoch of each job that delays none of those after it, and is no `alone` job's."""
    taken = {earliest[job] for job in block.jobs if job.alone}
    latest = dict.fromkeys(block.jobs, count - 1)
    for job in sorted(block.jobs, key=lambda j: earliest[j])[::-1]:
        if job.alone:
            latest[job] = earliest[job]
        while not job.alone and latest[job] in taken:
            latest[job] -= 1
        for other in before[job]:
            latest[other] = min(latest[other], latest[job] - _apart(other, job))
    return latest
