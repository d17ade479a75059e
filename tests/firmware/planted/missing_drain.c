/* missing_drain.c: a step ends, and its core goes to the barrier, while its last tiles are still on
 * their way to SDRAM. */
#include "planted.h"

struct rt_core;
struct profile;
void __wrap_rt_wait_all(struct rt_core *core, struct profile *spent);

PLANTED void __wrap_rt_wait_all(struct rt_core *core, struct profile *spent)
{
    (void)core;
    (void)spent;
}
