#include "kernel/boot/ready_keys.h"

static bool is_end_of_line(char key)
{
    return key == '\r' || key == '\n';
}

enum ready_action ready_keys_decide(struct ready_keys *keys, char key)
{
    bool was_hinted = keys->is_hinted;
    keys->is_hinted = false;
    switch (key) {
    case 'p':
        return READY_POWER_OFF;
    case 'r':
        return READY_RESTART;
    case 'h':
        return READY_HELP;
    default:
        keys->is_hinted = !(was_hinted && is_end_of_line(key));
        return was_hinted ? READY_NOTHING : READY_HINT;
    }
}
