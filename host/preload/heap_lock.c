#include "host/preload/heap_lock.h"

#include "host/preload/say.h"

struct owned_lock heap_lock;

void heap_lock_refuse(enum owned_lock_result result)
{
    if (result == OWNED_LOCK_OWNER_IS_GONE)
        give_up("heap: this process was made by _Fork() or clone() while another thread was in the "
                "heap, and cannot use the heap: use fork()\n");
    give_up(
        "heap: a signal handler that interrupted the heap called it (or a thread left the heap by "
        "longjmp() or by its end): allocate and free outside of signal handlers\n");
}
