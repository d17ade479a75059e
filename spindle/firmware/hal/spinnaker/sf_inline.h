/* Assembly bodies of float32 add and multiply, for functions and for loops that inline them; at the
 * end those of division and root, which have no edges of their own.
 *
 * In: r0, r1 float32 bits. Out: r0, in each of the body's ends, where \tail is expanded. Clobbers r1,
 * r2, r3, r12 and flags, no stack. \edge is branched to with r0, r1 in either order and unchanged as
 * a pair: operands that need sf_add_edge or sf_mul_edge (hal/spinnaker/sf_edge.c), called by name.
 * Bits: docs/numerics.md 1. "out" below is what lies under the last place: 32 bits, top one = 1/2.
 */

/* a + b. Packed words are added as they are: sign|exponent|fraction plus the smaller one's 24-bit
 * significand shifted right; changed low exponent bits tell that the sum left its binade.
 * Zero is answered here; |smaller| < 2^-102 (a difference may be denormal) or |larger| > 2^127 are
 * edges. Cycles without tail: sum 27 or 31, difference 30, 37 with one place lost, 42 with more. */
.macro SF_ADD_INLINE tail, edge
    mov     r2, r0, lsl #1
    cmp     r2, r1, lsl #1
    movlo   r12, r0
    movlo   r0, r1
    movlo   r1, r12             @ now |r0| >= |r1|
    mov     r2, r0, lsl #1
    mov     r3, r1, lsl #1
    cmp     r3, #0x19000000
    rsbscs  r12, r2, #0xfe000000
    bcc     .Ladd_rare\@
    mov     r2, r2, lsr #24
    sub     r3, r2, r3, lsr #24 @ places to shift; 32 - r3 as a shift amount is 0 bits from 33 on
    teq     r0, r1
    bmi     .Ladd_difference\@
    orr     r1, r1, #0x00800000
    bic     r1, r1, #0xff000000
    add     r12, r0, r1, lsr r3
    rsb     r3, r3, #32
    mov     r1, r1, lsl r3      @ out
    eor     r2, r12, r0
    tst     r2, #0x01800000     @ one binade up, or two in the packed word
    bne     .Ladd_carry\@
    cmp     r1, #0x80000000
    adc     r0, r12, #0
    biceq   r0, r0, #1
    \tail
.Ladd_carry\@:                  @ the fraction moves down by one place
    movs    r2, r12, lsr #1     @ C: 1/2
    mov     r3, r0, lsr #23
    add     r3, r3, #1
    add     r0, r2, r3, lsl #22
    adc     r0, r0, #0
    cmpcs   r1, #0
    biceq   r0, r0, #1
    \tail
.Ladd_difference\@:
    orr     r1, r1, #0x00800000
    bic     r1, r1, #0xff000000
    rsb     r2, r3, #32
    mov     r2, r1, lsl r2
    rsbs    r2, r2, #0          @ out, borrowed from the place above
    sbc     r12, r0, r1, lsr r3
    eor     r1, r12, r0
    tst     r1, #0x00800000
    bne     .Ladd_cancel\@
    cmp     r2, #0x80000000
    adc     r0, r12, #0
    biceq   r0, r0, #1
    \tail
.Ladd_cancel\@:                 @ the fraction field holds the whole significand now
    movs    r1, r12, lsl #9
    bpl     .Ladd_deep\@
    adds    r2, r2, r2          @ up by one place
    adc     r12, r12, r1, lsr #9
    sub     r12, r12, #0x00800000
    cmp     r2, #0x80000000
    adc     r0, r12, #0
    biceq   r0, r0, #1
    \tail
.Ladd_deep\@:                   @ exact: operands at most one place apart, out is 0 or 1/2
    orrs    r1, r1, r2, lsr #23 @ C = 0
    beq     .Ladd_nothing\@
    clz     r2, r1
    mov     r1, r1, lsl r2
    mov     r12, r12, lsr #23
    sbc     r12, r12, r2        @ one less: the leading one adds it
    mov     r1, r1, lsr #8
    add     r0, r1, r12, lsl #23
    \tail
.Ladd_nothing\@:
    mov     r0, #0
    \tail
.Ladd_rare\@:
    cmp     r3, #0
    bne     \edge
    cmn     r2, #0x01000000     @ C: Inf or NaN
    bcs     \edge
    cmp     r2, #0
    andeq   r0, r0, r1          @ -0 only from two of them
    \tail
.endm

/* a * b. 24 x 32 bits: the high word is the significand, the low word out. Zero times finite is
 * answered here; denormal, Inf, NaN, and results outside the normal range are edges.
 * Cycles without tail: 28, or 27 where \ff names a register that holds 255. */
.macro SF_MUL_INLINE tail, edge, ff=none
    .ifc \ff, none
    mov     r12, #0xff
    ands    r2, r12, r0, lsr #23
    andsne  r3, r12, r1, lsr #23
    teqne   r2, r12
    teqne   r3, r12
    .else
    ands    r2, \ff, r0, lsr #23
    andsne  r3, \ff, r1, lsr #23
    teqne   r2, \ff
    teqne   r3, \ff
    .endif
    beq     .Lmul_rare\@
    add     r2, r2, r3
    sub     r2, r2, #128
    cmp     r2, #252
    bhi     \edge
    eor     r12, r0, r1
    mov     r0, r0, lsl #8
    orr     r0, r0, #0x80000000
    orr     r1, r1, #0x00800000
    bic     r1, r1, #0xff000000
    umull   r3, r1, r0, r1      @ r1 in [2^22, 2^24)
    and     r12, r12, #0x80000000
    tst     r1, #0x00800000
    moveq   r1, r1, lsl #1
    orreq   r1, r1, r3, lsr #31
    moveq   r3, r3, lsl #1
    addne   r12, r12, #0x00800000
    add     r12, r12, r2, lsl #23
    cmp     r3, #0x80000000
    adc     r0, r12, r1
    biceq   r0, r0, #1
    \tail
.Lmul_rare\@:
    movs    r2, r0, lsl #1
    movsne  r3, r1, lsl #1
    bne     \edge               @ neither is zero
    mov     r2, r0, lsl #1
    orr     r2, r2, r1, lsl #1  @ the other one
    cmn     r2, #0x01000000     @ C: Inf or NaN
    bcs     \edge
    eor     r0, r0, r1
    and     r0, r0, #0x80000000
    \tail
.endm

/* r2 >> 1 = n / d as a significand of 2^23..2^24, rounded; n in r0 (2^23..2^24), d in r1 (less than
 * 2^24). Added to r12, an exponent: 1 where n >= d. In r3: sf_seeds. \between: an instruction that
 * fills a wait, without r0-r4 and flags. Clobbers r0, r3, r4. Method: sf_div_sqrt.S. */
.macro SF_DIV_BODY between:vararg
    mov     r2, r1, lsr #16
    ldrb    r3, [r3, r2]        @ x0 ~ 2^31 / d
    cmp     r0, r1
    movlo   r0, r0, lsl #1      @ 1 <= n/d < 2
    mul     r2, r3, r1
    addhs   r12, r12, #0x00800000
    rsb     r2, r2, #0x80000000 @ 2^31 - x0 d
    mov     r2, r2, asr #1
    mul     r2, r3, r2
    mov     r4, r3, lsl #8
    add     r3, r4, r2, asr #22 @ x1 ~ 2^39 / d
    mul     r2, r3, r1
    mov     r4, r3, lsl #8
    mov     r3, r3, lsl #15
    mvn     r2, r2              @ 2^39 - x1 d, less one for what smlal finds in r4
    smlal   r4, r3, r2, r4      @ r3 = x2 ~ 2^54 / d, from below
    mov     r2, r0, lsl #2
    umull   r4, r2, r3, r2      @ r2 ~ n 2^24 / d
    mov     r0, r0, lsl #24
    mul     r4, r2, r1
    \between
    sub     r0, r0, r4
    cmp     r0, r1
    adc     r2, r2, #1          @ corrected, and half a place for rounding
.endm

/* r0 = sqrt(r0) of a positive normal number. In r3: sf_seeds. Clobbers r1-r3, r12. */
.macro SF_SQRT_BODY
    mov     r2, r0, lsr #17
    and     r2, r2, #0x7f       @ exponent's lowest bit and six of the fraction
    ldrb    r12, [r3, r2]       @ y0 ~ 2^8 / sqrt(m)
    orr     r1, r0, #0x00800000
    bic     r1, r1, #0xff000000
    tst     r0, #0x00800000
    moveq   r1, r1, lsl #1      @ m 2^23, 1 <= m < 4
    mul     r2, r12, r12
    mov     r3, r1, lsr #9
    mla     r2, r3, r2, r2      @ 2^30 m y0^2, m rounded up so that y1 is never above
    mov     r12, r12, lsl #9
    rsb     r2, r2, #0xc0000000 @ 2^30 (3 - m y0^2)
    umull   r3, r2, r12, r2     @ r2 = y1 ~ 2^16 / sqrt(m)
    mov     r3, r1, lsl #7      @ m 2^30
    mov     r2, r2, lsl #1
    umull   r12, r1, r3, r2     @ r1 = k ~ 2^15 sqrt(m)
    mov     r0, r0, lsr #23
    mul     r12, r1, r1
    mov     r1, r1, lsl #9
    sbc     r12, r3, r12        @ m 2^30 - k^2, less one (C = 0) for what smlal finds in r2
    mov     r2, r2, lsl #8
    smlal   r2, r1, r12, r2     @ r1 ~ 2^24 sqrt(m), from below
    add     r0, r0, #125
    mul     r12, r1, r1
    mov     r0, r0, lsr #1      @ exponent of the result, less one
    rsb     r12, r12, r3, lsl #18
    cmp     r12, r1, lsl #1
    addhi   r1, r1, #1
    movs    r1, r1, lsr #1      @ C: the half
    adc     r0, r1, r0, lsl #23
.endm
