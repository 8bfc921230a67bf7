#include "lessons/patience.h"

bool patience_tick(struct patience *patience, const struct judge *judge, uint64_t now,
                   uint64_t limit)
{
    uint64_t call = judge->in_reader_code ? judge->call_count : 0;
    if (call == 0 || patience->call != call) {
        patience->call = call;
        patience->began = now;
        return false;
    }
    return now - patience->began >= limit;
}
