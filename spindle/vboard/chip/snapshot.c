/* A chip as a stream of bytes and back: what a fresh board loads instead of booting.
 *
 * In: a chip between two chip_run calls, or the stream of one with the same layout (the caller keys
 * streams by a hash of the sources). Out: the stream, or a chip that goes on bit for bit.
 *
 *   plain part of struct chip | per core: arm_core (its pointers are ignored) | backlog in use
 *   | per touched page of SDRAM: number, bytes, defined bits | end mark
 *
 * The queue is the board's.
 */
#include <stddef.h>
#include <string.h>

#include "chip.h"

#define PAGE 4096u
#define DEFINED_PER_PAGE (PAGE / 4 / 8)
#define PAGES (CHIP_SDRAM_SIZE / PAGE)
#define END 0xffffffffu

static uint8_t *defined_of(const struct chip *chip, uint32_t page) {
    return (uint8_t *)chip->wires.sdram_defined + page * DEFINED_PER_PAGE;
}

static bool save_page(const struct chip *chip, uint32_t page, const struct chip_stream *out) {
    return out->move(out->ctx, &page, sizeof page) &&
           out->move(out->ctx, chip->wires.sdram + (size_t)page * PAGE, PAGE) &&
           out->move(out->ctx, defined_of(chip, page), DEFINED_PER_PAGE);
}

bool chip_save(const struct chip *chip, const struct chip_stream *out) {
    uint32_t end = END;
    if (!out->move(out->ctx, (void *)chip, offsetof(struct chip, wires)))
        return false;
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        if (!out->move(out->ctx, chip->wires.arm[core], sizeof(struct arm_core)))
            return false;
    if (chip->wires.backlog && !out->move(out->ctx, chip->wires.backlog, ETH_BACKLOG_SIZE))
        return false;
    for (uint32_t page = 0; page < PAGES; page++)
        if (chip->wires.sdram_touched[page] && !save_page(chip, page, out))
            return false;
    return out->move(out->ctx, &end, sizeof end);
}

/* The core's own pointers stay; its decoded code is dropped. */
static bool load_core(struct chip *chip, uint32_t core, const struct chip_stream *in) {
    struct arm_core *arm = chip->wires.arm[core];
    const struct arm_bus *bus = arm->bus;
    void *ctx = arm->ctx;
    arm_trace *trace = arm->trace;
    struct arm_op *ops[2] = {arm->ops[0], arm->ops[1]};
    struct arm_step *steps = arm->steps;
    bool good = in->move(in->ctx, arm, sizeof *arm);
    arm->bus = bus;
    arm->ctx = ctx;
    arm->trace = trace;
    arm->ops[0] = ops[0];
    arm->ops[1] = ops[1];
    arm->steps = steps;
    arm->code_ops = NULL;
    arm_invalidate(arm, 0, ARM_ITCM_SIZE);
    return good;
}

static void forget_memory(struct chip *chip) {
    for (uint32_t page = 0; page < PAGES; page++)
        if (chip->wires.sdram_touched[page]) {
            memset(chip->wires.sdram + (size_t)page * PAGE, 0, PAGE);
            memset(defined_of(chip, page), 0, DEFINED_PER_PAGE);
            chip->wires.sdram_touched[page] = 0;
        }
}

static bool load_pages(struct chip *chip, const struct chip_stream *in) {
    uint32_t page;
    while (in->move(in->ctx, &page, sizeof page)) {
        if (page == END)
            return true;
        if (page >= PAGES || !in->move(in->ctx, chip->wires.sdram + (size_t)page * PAGE, PAGE) ||
            !in->move(in->ctx, defined_of(chip, page), DEFINED_PER_PAGE))
            return false;
        chip->wires.sdram_touched[page] = 1;
    }
    return false;
}

bool chip_load(struct chip *chip, const struct chip_stream *in) {
    forget_memory(chip);
    if (!in->move(in->ctx, chip, offsetof(struct chip, wires)))
        return false;
    for (uint32_t core = 0; core < CHIP_CORES; core++)
        if (!load_core(chip, core, in))
            return false;
    if (chip->wires.backlog && !in->move(in->ctx, chip->wires.backlog, ETH_BACKLOG_SIZE))
        return false;
    return load_pages(chip, in);
}
