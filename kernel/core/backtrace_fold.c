#include "kernel/core/backtrace_fold.h"

static void print_repeats(struct backtrace_fold *fold)
{
    if (fold->repeat_count != 0)
        fold->print_more(fold->repeat_count, fold->last_address);
    fold->repeat_count = 0;
}

void backtrace_fold_add(struct backtrace_fold *fold, struct virt_addr return_address)
{
    unsigned index = fold->frame_count++;
    if (fold->cut_count != 0) {
        fold->cut_count++;
    } else if (index != 0 && return_address.value == fold->last_address.value) {
        fold->repeat_count++;
    } else if (fold->line_count == BACKTRACE_LINE_LIMIT) {
        print_repeats(fold);
        fold->cut_count = 1;
    } else {
        print_repeats(fold);
        fold->line_count++;
        fold->last_address = return_address;
        fold->print_frame(index, return_address);
    }
}

void backtrace_fold_finish(struct backtrace_fold *fold)
{
    print_repeats(fold);
    if (fold->cut_count != 0)
        fold->print_more(fold->cut_count, virt_addr(0));
}
