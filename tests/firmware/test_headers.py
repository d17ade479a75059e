"""The generated C headers say what spec/ says now."""

from __future__ import annotations

import pytest

from spindle.spec import generate


@pytest.mark.parametrize("name", generate.HEADERS)
def test_header_is_current(name):
    text = (generate.INCLUDE / name).read_text()
    assert text == generate.HEADERS[name](), "run `make generate`"
