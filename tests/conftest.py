"""Fixtures for tests of the code above the Machine seam."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from evaluating_machine import EvaluatorMachine, module_image

import spindle.api
import spindle.jitted
from spindle.session import SESSION


@pytest.fixture
def evaluator_machine(monkeypatch: pytest.MonkeyPatch) -> Iterator[EvaluatorMachine]:
    """The default machine is the evaluator, and compiling stops at the Module."""
    machine = EvaluatorMachine()
    monkeypatch.setattr(spindle.api, "compile_module", module_image)
    monkeypatch.setattr(spindle.jitted, "compile_module", module_image)
    monkeypatch.setattr(SESSION, "machine", machine)
    yield machine
