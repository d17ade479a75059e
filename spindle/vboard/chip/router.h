/* What the three files of the router share; nobody else includes it. */
#ifndef SPINDLE_CHIP_ROUTER_H
#define SPINDLE_CHIP_ROUTER_H

#include "chip.h"

/* router.c */
struct packet *router_head(struct router *router);
void router_step(struct chip *chip, uint64_t now);

/* route.c: outputs of the head (head_outputs, _pending, _default, _lost, _silent). A
 * peek or poke is executed here and the head becomes its reply. */
void router_route_head(struct chip *chip, uint64_t now);

/* router_regs.c: diagnostics of a packet that is through; the dump interrupt (own: see
 * chip_shared_line). */
void router_count(struct chip *chip, const struct packet *packet, bool dropped, uint64_t now);
void router_update_dump_line(struct chip *chip, uint64_t now, uint32_t own);

#endif
