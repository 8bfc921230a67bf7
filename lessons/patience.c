#include "lessons/patience.h"

bool patience_tick(struct patience *patience, const struct judge *judge, unsigned limit_ticks)
{
    if (!judge->in_reader_code || patience->step != judge->step) {
        patience->step = judge->step;
        patience->ticks = 0;
        return false;
    }
    patience->ticks++;
    return patience->ticks >= limit_ticks;
}
