"""Ways to make a job: different ones, each once; what is resident may be loaded again."""

from __future__ import annotations

from dataclasses import replace

from spindle.ir.plan import Addr, Operand, SetReg, Step, TaskStep
from spindle.schedule.assemble import Draft, assemble
from spindle.schedule.jobs import Job
from spindle.schedule.memory import RESIDENT_START
from spindle.schedule.room import Room
from spindle.schedule.ways import ways


def draft() -> Draft:
    operands = (
        Operand("from", Addr("arg0"), (0, 0, 4, 0), 2),
        Operand("to", Addr("result0"), (0, 0, 4, 0), 2, store=True),
    )
    tiles = tuple((1, 1, side, 1) for side in (64, 128, 250, 256, 512, 1024, 4096))
    return Draft("COPY", (1, 1, 4096, 1), operands, tiles, shared=(0, 1))


def test_each_once() -> None:
    one = draft()
    job = Job(lambda room: [TaskStep(assemble(one, room))], (), ())
    found = ways(job, alone=False)
    tasks = [way.tasks for way in found]
    assert len(found) > 1 and len(set(tasks)) == len(tasks)
    assert all(way.lane is None for way in found)


def test_a_job_by_itself_takes_the_place_of_resident_tiles_where_none_is() -> None:
    one = replace(draft(), extent=(1, 1, 200_000, 1), tiles=((1, 1, 6000, 1),))
    job = Job(lambda room: [TaskStep(assemble(one, room))], (), ())
    most = [max(way.tasks[0].words for way in ways(job, True, empty)) for empty in (False, True)]
    assert most[0] <= RESIDENT_START < most[1]
    kept = replace(one, operands=(replace(one.operands[0], dtcm=RESIDENT_START), one.operands[1]))
    assert assemble(kept, Room(alone=True, empty=True)).words <= RESIDENT_START


def test_resident_tiles_may_be_loaded_again_on_other_lanes() -> None:
    one = draft()

    def make(room: Room) -> list[Step]:
        task = assemble(one, room)
        load = replace(task.operands[0], resident=not room.again)
        return [TaskStep(replace(task, operands=(load, *task.operands[1:])))]

    found = ways(Job(make, (), (), lane=lambda: 5), alone=False)
    for way in found:
        (task,) = way.tasks
        assert way.lane == (5 if task.operands[0].resident else None)
    assert {way.lane for way in found} == {5, None}


def test_control_steps_have_one_way() -> None:
    step = SetReg(0, Addr("arg0"), 0, 4)
    (way,) = ways(Job(lambda room: [step], (), ()), alone=False)
    assert (way.tasks, way.work, way.first_load) == ((), 0, 0.0)
