/* barrier.h: all places of a chip meet (docs/spec/barrier.md). No registers in here: the same file
 * runs in a model of many cores on the host.
 *
 * A place is a core that runs lanes; the root is the service core, which may be place 0. Calls of one
 * launch:   root: barrier_release(START)   others: barrier_idle, look until BARRIER_START
 *           then for each step with a barrier: barrier_arrive(flags), look until it is not BARRIER_WAIT
 * Between looks the caller sleeps until `news` is set or the time is `ask_at`.
 */
#ifndef SPINDLE_BARRIER_H
#define SPINDLE_BARRIER_H

#include <stdint.h>

#include "spindle_arena.h"

/* Bits 7:6 of a key. */
enum barrier_class { CLASS_ARRIVE, CLASS_ASK_ARRIVAL, CLASS_UNUSED, CLASS_RELEASE, CLASSES };

#define BARRIER_GROUPS 2 /* the members of its own group; the leaders, if it is the root */

#define BARRIER_MAX_CHILDREN 6

/* Places at equal distances: first one's arrival slot << 2, distance << 2, how many. */
struct barrier_group {
    uint32_t first_bits, step_bits, count;
};

/* Two bits of a key, and what barrier_look and barrier_poll return. */
enum barrier_flag {
    BARRIER_GO = 0,
    BARRIER_STOP = 1,  /* the launch is over: a lane stopped */
    BARRIER_END = 2,   /* the launch is over: all lanes came to the end */
    BARRIER_START = 3, /* releases only: a launch begins */
    BARRIER_WAIT = 4,
    BARRIER_UNUSUAL = 6, /* barrier_look only: barrier_poll has to see it */
    BARRIER_MISSED = 5 /* the release was lost, and root or parent are past it: look at the status */
};

enum barrier_phase { PHASE_IDLE, PHASE_GATHER, PHASE_WAIT };

/* What the receiving handler writes: the latest key of each slot, packets per class, `news` not 0. The
 * order is known to irq.S. */
struct barrier_inbox {
    uint32_t slot[SPINDLE_N_SLOTS];
    uint32_t received[CLASSES];
    uint32_t news;
};

struct barrier {
    volatile struct barrier_inbox inbox;
    uint32_t place; /* NO_PLACE: a root without lanes */
    uint32_t is_root;
    struct barrier_group group[BARRIER_GROUPS]; /* places this one waits for */
    uint32_t n_children;
    uint32_t child[BARRIER_MAX_CHILDREN]; /* the same, one by one */
    uint32_t own_bits;    /* slot of the own arrival << 2 */
    uint32_t ask_slot;    /* where its parent's questions come */
    uint32_t n_receivers; /* of a release */
    uint32_t generation;  /* of the release passed last; 16 bits count */
    uint32_t phase;       /* enum barrier_phase */
    uint32_t expected;    /* key of the awaited generation, slot 0, GO */
    uint32_t flags;       /* of the arrival */
    uint32_t sent_at;     /* time of the last arrival sent first */
    uint32_t ask_at;      /* time of the next question */
    uint32_t ask_after;   /* cycles from the last one */
    uint32_t sent, resent, asked;
};

/* place: NO_PLACE for a root without lanes; service_is_place: the root is place 0. */
void barrier_init(struct barrier *barrier, uint32_t place, uint32_t n_places, uint32_t is_root,
                  uint32_t service_is_place);

/* Others than the root: wait for the release that begins a launch. */
void barrier_idle(struct barrier *barrier);

/* Root only: release the next generation. */
void barrier_release(struct barrier *barrier, uint32_t flags);

/* This core has arrived. flags: GO, STOP or END; a root without lanes gives BARRIER_WAIT. */
void barrier_arrive(struct barrier *barrier, uint32_t flags, uint32_t now);

/* Look at the inbox; clears `news` first. Returns how the barrier ended, WAIT or UNUSUAL. sleeps: 1 sleeps
 * instead of returning WAIT, but for the look that sends the arrival. The usual barrier needs nothing else. */
uint32_t barrier_look(struct barrier *barrier, uint32_t sleeps);

/* After UNUSUAL: all cases; answers and asks. Returns how the barrier ended, or WAIT. */
uint32_t barrier_poll(struct barrier *barrier, uint32_t now);

/* 1: barrier_look has to be called at ask_at even without news. */
uint32_t barrier_asks(const struct barrier *barrier);

/* Packets received, without questions: now, and when the arrivals awaited here are in. */
uint32_t barrier_received(const struct barrier *barrier);
uint32_t barrier_will_receive(const struct barrier *barrier);

/* barrier_arrive.c, for barrier.c and barrier_look.c */
void barrier_send_arrival(struct barrier *barrier);

/* The time, of the host's twin only. */
uint32_t barrier_now(void);

/* The caller's: send a multicast packet without payload. */
void barrier_send(struct barrier *barrier, uint32_t key);

#endif
