#include "bootloader/firmware/read_progress.h"

#include "bootloader/arch.h"
#include "bootloader/firmware/clock.h"
#include "shared/address.h"

void read_progress_begin(struct read_progress *progress)
{
    static struct firmware_tables none; /* they are not known yet; too large as a constant */
    progress->frequency_hz = clock_find(&none).frequency_hz;
    progress->begun_ticks = progress->shown_ticks = arch_timestamp();
}

void read_progress_show(struct read_progress *progress, uint64_t done_bytes, uint64_t total_bytes)
{
    uint64_t now_ticks = arch_timestamp();
    if (progress->frequency_hz == 0 || now_ticks - progress->shown_ticks < progress->frequency_hz)
        return;
    uint64_t milliseconds = (now_ticks - progress->begun_ticks) / (progress->frequency_hz / 1000);
    progress->shown_ticks = now_ticks;
    console_show_passing("\r  %llu of %llu MiB, %llu KiB/s ", done_bytes / MIB, total_bytes / MIB,
                         done_bytes / KIB * 1000 / milliseconds);
}

void read_progress_end(const struct read_progress *progress)
{
    if (progress->shown_ticks != progress->begun_ticks)
        console_show_passing("\n");
}
