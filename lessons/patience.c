#include "lessons/patience.h"

bool patience_tick(struct patience *patience, const struct judge *judge, uint64_t now,
                   uint64_t limit)
{
    unsigned step = judge->in_reader_code ? judge->step : 0;
    if (step == 0 || patience->step != step) {
        patience->step = step;
        patience->began = now;
        return false;
    }
    return now - patience->began >= limit;
}
