"""Panels: how the mantissas and exponents of a dot's operand lie in scratch.

In: a Matrix, a form. Out: a Quantised, as operands of the tasks that write and read it. Follows
docs/spec/image.md (pairs) and docs/spec/dots16.md 2 (narrow and wide).
"""

from __future__ import annotations

from dataclasses import dataclass

from spindle.ir.graph import WORD
from spindle.ir.plan import Operand
from spindle.schedule.jobs import Buf
from spindle.schedule.lower import Lowering
from spindle.spec.records import CHUNK, PANEL_ROW_WORDS


@dataclass(frozen=True)
class Matrix:
    """A dot operand as [batch, free, k]: extents and element strides."""

    buf: Buf
    extents: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def batch(self) -> int:
        return self.extents[0]

    @property
    def free(self) -> int:
        return self.extents[1]

    @property
    def k(self) -> int:
        return self.extents[2]

    def operand(self, dim: int, name: str) -> Operand:
        """The floats, free index on `dim` (1 or 2), k on dim 3."""
        stride = [0, 0, 0, 0]
        stride[0], stride[dim], stride[3] = (s * WORD for s in self.strides)
        if self.k == 1 and self.strides[1] != 1:
            stride[3] = WORD
        fast = 3 if stride[3] == WORD else dim if stride[dim] == WORD else None
        return Operand(name, self.buf.addr(), (stride[0], stride[1], stride[2], stride[3]), fast)


@dataclass(frozen=True)
class PanelForm:
    """How mantissas lie: so many rows are taken together.

    unit_words: of such rows for one k, where dim 3 is `fast`, or for a chunk. row_words, row_align:
    words of a row's exponents, and what those of a tile are rounded up to.
    """

    rows: int
    unit_words: int
    align_words: int
    fast: int | None
    row_words: int
    row_align: int

    @property
    def granule3(self) -> int:
        """Indices of k that one unit holds."""
        return CHUNK if self.fast is None else 1


PAIRS = PanelForm(2, 2, 2 * CHUNK, 3, PANEL_ROW_WORDS, 2 * PANEL_ROW_WORDS)
NARROW = PanelForm(3, 12, 4, None, 1, 1)
WIDE = PanelForm(3, 24, 8, None, 1, 1)


@dataclass(frozen=True)
class Quantised:
    """Panel and exponents of a Matrix. k_block: 0 where a row has one exponent."""

    matrix: Matrix
    form: PanelForm
    k_block: int
    panel: Buf
    exponents: Buf

    @property
    def group_bytes(self) -> int:
        """Bytes of the mantissas of rows that are taken together, k rounded up to whole chunks."""
        chunks = -(-self.matrix.k // CHUNK)
        return chunks * (CHUNK // self.form.granule3) * self.form.unit_words * WORD

    @property
    def n_groups(self) -> int:
        return -(-self.matrix.free // self.form.rows)

    @property
    def n_blocks(self) -> int:
        return -(-self.matrix.k // self.k_block) if self.k_block else 1

    def panel_operand(self, dim: int, store: bool = False) -> Operand:
        """The mantissas, free index on `dim`."""
        form = self.form
        stride = [self.n_groups * self.group_bytes, 0, 0, form.unit_words * WORD]
        stride[dim] = self.group_bytes
        return Operand(
            "panel",
            self.panel.addr(),
            (stride[0], stride[1], stride[2], stride[3]),
            form.fast,
            store=store,
            granule1=form.rows,
            granule3=form.granule3,
            unit_words=form.unit_words,
            align_words=form.align_words,
        )

    @property
    def block_bytes(self) -> int:
        """Bytes of one K-block's exponents."""
        words = self.matrix.free * self.form.row_words
        return -(-words // self.form.row_align) * self.form.row_align * WORD

    def exponent_operand(self, dim: int, store: bool = False) -> Operand:
        """Exponents (and corrections), free index on `dim`."""
        row = self.block_bytes
        stride = [self.n_blocks * row, 0, 0, row if self.n_blocks > 1 else 0]
        stride[dim] = self.form.row_words * WORD
        return Operand(
            "exponents",
            self.exponents.addr(),
            (stride[0], stride[1], stride[2], stride[3]),
            dim,
            store=store,
            granule3=self.k_block if self.n_blocks > 1 else 1,
            unit_words=self.form.row_words,
            align_words=self.form.row_align,
        )


def panel_of(
    ctx: Lowering, x: Matrix, form: PanelForm, k_block: int, loc: str, given: Buf | None = None
) -> Quantised:
    """Places for a panel and its exponents; given: where those are already."""
    panel = ctx.new_buf(WORD, "mantissas", loc)
    out = Quantised(x, form, k_block, panel, given or ctx.new_buf(WORD, "exp", loc))
    panel.size_bytes = x.batch * out.n_groups * out.group_bytes
    if given is None:
        out.exponents.size_bytes = x.batch * out.n_blocks * out.block_bytes
    return out
