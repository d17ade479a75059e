/* Generated from spindle/spec/ by `make generate`; do not edit. */

#ifndef SPINDLE_COSTS_H
#define SPINDLE_COSTS_H

#include <stdint.h>

#define COST_FRACTION 16

/* Costs in 1/16 cycle, rates in 1/16 byte per cycle; spec/costs.py names sources. */
struct costs {
    uint32_t sdram_bytes_per_cycle;
    uint32_t dma_bytes_per_cycle;
    uint32_t dma_fixed_cycles;
    uint32_t dma_setup_cycles;
    uint32_t dma_next_cycles;
    uint32_t sdram_word_cycles;
    uint32_t barrier_cycles;
    uint32_t step_cycles;
    uint32_t prepare_cycles;
    uint32_t fetch_cycles;
    uint32_t tile_cycles;
    uint32_t operand_cycles;
    uint32_t strip_tile_cycles;
    uint32_t strip_operand_cycles;
    uint32_t strip_step_cycles;
    uint32_t repeat_cycles;
    uint32_t row_cycles;
    uint32_t strip_cycles;
    uint32_t strip_place_cycles;
    uint32_t instr_cycles;
    uint32_t ext_cycles;
    uint32_t iota_cycles;
    uint32_t iota_fill_cycles;
    uint32_t reduce_cycles;
    uint32_t reduce_row_cycles;
    uint32_t reduce_add_cycles;
    uint32_t reduce_rows_cycles;
    uint32_t reduce_out_cycles;
    uint32_t mac_s28_cycles;
    uint32_t dot_s28_tile_cycles;
    uint32_t dot_s28_row_cycles;
    uint32_t dot_s28_pair_cycles;
    uint32_t dot_s28_block_cycles;
    uint32_t dot_s28_chunk_cycles;
    uint32_t dot_s28_finish_row_cycles;
    uint32_t dot_s28_finish_cycles;
    uint32_t dot_s28_add_cycles;
    uint32_t mac_f32_cycles;
    uint32_t dot_f32_row_cycles;
    uint32_t dot_f32_k_cycles;
    uint32_t scan_tile_cycles;
    uint32_t scan_rows_cycles;
    uint32_t scan_rows_k_cycles;
    uint32_t scan_row_cycles;
    uint32_t scan_one_cycles;
    uint32_t scan_columns_cycles;
    uint32_t scan_columns_f_cycles;
    uint32_t scan_slow_cycles;
    uint32_t scan_finite_cycles;
    uint32_t balance_tile_cycles;
    uint32_t balance_k_cycles;
    uint32_t balance_cycles;
    uint32_t quantise_tile_cycles;
    uint32_t quantise_k_cycles;
    uint32_t quantise_pair_cycles;
    uint32_t quantise_cycles;
    uint32_t quantise_given_cycles;
    uint32_t quantise_pad_cycles;
    uint32_t quantise_slow_cycles;
    uint32_t quantise_slow_given_cycles;
    uint32_t quantise_slow_chunk_cycles;
    uint32_t transpose_tile_cycles;
    uint32_t transpose_row_cycles;
    uint32_t transpose_cycles;
    uint32_t overlay_cycles;
    uint32_t overlay_piece_cycles;
    uint32_t overlay_word_cycles;
    uint32_t dot_s13_chunk_cycles;
    uint32_t dot_s16_chunk_cycles;
    uint32_t dot_s16_block_cycles;
    uint32_t dot_s16_finish_cycles;
    uint32_t quantise_16_cycles;
    uint32_t prim[79];
};

#endif
