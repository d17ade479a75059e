/* One counter of the ADK dual timer. Nothing ticks: the count is a function of the time since the
 * last change, and the chip keeps one event at timer_expiry().
 *
 * In: register accesses with their cycle. Out: the next expiry, the interrupt line.
 * Follows: ARM DDI 0243; data sheet chapter 6. A count of N takes N cycles to expire.
 */
#include "parts.h"

enum timer_bits {
    ONE_SHOT = 1, WIDE = 2, INT_ENABLE = 0x20, PERIODIC = 0x40, ENABLE = 0x80
};

static uint32_t count_mask(const struct timer *timer) {
    return timer->control & WIDE ? 0xffffffff : 0xffff;
}

static uint32_t prescale_shift(const struct timer *timer) {
    return (timer->control >> 2 & 3) * 4;
}

static bool is_counting(const struct timer *timer) {
    return timer->control & ENABLE && !timer->expired;
}

/* Cycles until zero; a count of zero expires after one. */
static uint64_t span(const struct timer *timer) {
    uint64_t count = timer->count & count_mask(timer);
    return (count ? count : 1) << prescale_shift(timer);
}

static uint32_t value_at(const struct timer *timer, uint64_t now) {
    if (!is_counting(timer))
        return timer->count;
    if (now <= timer->since)
        return timer->count & count_mask(timer);
    uint64_t ticks = (now - timer->since) >> prescale_shift(timer);
    return (uint32_t)(timer->count - ticks) & count_mask(timer);
}

void timer_reset(struct timer *timer) {
    *timer = (struct timer){.control = INT_ENABLE, .count = 0xffffffff, .scheduled = CHIP_NEVER};
}

uint64_t timer_expiry(const struct timer *timer) {
    return is_counting(timer) ? timer->since + span(timer) : CHIP_NEVER;
}

bool timer_line(const struct timer *timer) {
    return timer->raw && timer->control & INT_ENABLE;
}

void timer_expire(struct timer *timer, uint64_t now) {
    timer->raw = true;
    timer->since = now;
    if (timer->control & ONE_SHOT) {
        timer->expired = true;
        timer->count = 0;
    } else {
        timer->count = timer->control & PERIODIC ? timer->load : 0xffffffff;
    }
}

static void restart(struct timer *timer, uint32_t count, uint64_t now) {
    timer->count = count;
    timer->since = now;
}

static enum chip_access write_control(struct timer *timer, uint32_t value, uint64_t now) {
    restart(timer, value_at(timer, now), now);
    timer->control = value & 0xef;
    return (value >> 2 & 3) == 3 ? ACCESS_UNTESTED : ACCESS_OK;
}

enum chip_access timer_read(const struct timer *timer, uint32_t offset, uint64_t now,
                            uint32_t *value) {
    switch (offset) {
    case 0x00: case 0x18: *value = timer->load; break;
    case 0x04: *value = value_at(timer, now); break;
    case 0x08: *value = timer->control; break;
    case 0x10: *value = timer->raw; break;
    case 0x14: *value = timer_line(timer); break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}

enum chip_access timer_write(struct timer *timer, uint32_t offset, uint64_t now, uint32_t value) {
    switch (offset) {
    case 0x00:
        timer->load = value;
        timer->expired = false;
        restart(timer, value, now);
        break;
    case 0x08: return write_control(timer, value, now);
    case 0x0c: timer->raw = false; break;
    case 0x18: timer->load = value; break;
    default: return ACCESS_UNSUPPORTED;
    }
    return ACCESS_OK;
}
