#define _GNU_SOURCE /* memfd_create, MAP_NORESERVE */

#include "host/simulator/fake_ram.h"

#include <signal.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/text/format.h"

/* fstat counts in these, whatever the file system (POSIX, st_blocks). */
#define STAT_BLOCK_BYTES 512

/* Global, since a signal handler has no argument for it. */
static const struct fake_ram *watched_ram;
static int stray_exit_status;

bool fake_ram_create(uint64_t size_bytes, struct fake_ram *ret_ram)
{
    int store = memfd_create("ram", MFD_CLOEXEC);
    if (store < 0)
        return false;
    void *base = MAP_FAILED;
    if (ftruncate(store, (off_t)size_bytes) == 0)
        base = mmap(NULL, size_bytes, PROT_NONE, MAP_SHARED | MAP_NORESERVE, store, 0);
    if (base == MAP_FAILED) {
        (void)close(store);
        return false;
    }
    *ret_ram = (struct fake_ram){.base = base, .size_bytes = size_bytes, .store = store};
    return true;
}

void fake_ram_destroy(struct fake_ram *ram)
{
    (void)munmap(ram->base, ram->size_bytes);
    (void)close(ram->store);
}

bool fake_ram_add(struct fake_ram *ram, struct phys_range range)
{
    return mprotect(ram->base + range.start.value, phys_range_size_bytes(range),
                    PROT_READ | PROT_WRITE) == 0;
}

void *fake_ram_at(const struct fake_ram *ram, struct phys_addr address)
{
    return ram->base + address.value;
}

bool fake_ram_map(const struct fake_ram *ram, struct phys_addr page, void *at)
{
    return mmap(at, PAGE_SIZE_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, ram->store,
                (off_t)page.value) == at;
}

void *fake_ram_reserve(uint64_t size_bytes)
{
    void *at =
        mmap(NULL, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return at == MAP_FAILED ? NULL : at;
}

void fake_ram_unmap(void *at, uint64_t size_bytes)
{
    /* It cannot fail, since the number of mappings does not grow. */
    (void)mmap(at, size_bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
               -1, 0);
}

uint64_t fake_ram_resident_bytes(const struct fake_ram *ram)
{
    struct stat status;
    if (fstat(ram->store, &status) != 0)
        return 0;
    return (uint64_t)status.st_blocks * STAT_BLOCK_BYTES;
}

static void report_stray_access(int signal_number, siginfo_t *information, void *context)
{
    char text[160];
    uintptr_t address = (uintptr_t)information->si_addr;
    uintptr_t base = (uintptr_t)watched_ram->base;
    (void)signal_number;
    (void)context;
    int length =
        address >= base && address - base < watched_ram->size_bytes
            ? format_text(
                  text, sizeof(text),
                  "[simulator] broken: an access to physical address 0x%llx, which is not RAM\n",
                  (unsigned long long)(address - base))
            : format_text(text, sizeof(text),
                          "[simulator] broken: an access to host address 0x%llx: a guard page, or "
                          "a bad pointer\n",
                          (unsigned long long)address);
    (void)!write(STDERR_FILENO, text, (size_t)length);
    _exit(stray_exit_status);
}

void fake_ram_catch_stray_access(const struct fake_ram *ram, int exit_status)
{
    watched_ram = ram;
    stray_exit_status = exit_status;
    struct sigaction action = {.sa_sigaction = report_stray_access, .sa_flags = SA_SIGINFO};
    (void)sigemptyset(&action.sa_mask);
    (void)sigaction(SIGSEGV, &action, NULL);
    (void)sigaction(SIGBUS, &action, NULL);
}
