#include "host/preload/trace.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "host/preload/kept_file.h"
#include "host/preload/say.h"
#include "shared/text/format.h"

/* The numbers of the live blocks, by address: a hash table with open addressing and linear probing.
 * It has separate memory, since the traced heap cannot provide it. */
#define TABLE_LENGTH ((size_t)1 << 24)
#define BUFFER_COUNT 4096
/* The file's name with "." and the process's number. */
#define NAME_BYTES ((size_t)PATH_MAX)

struct entry {
    uintptr_t block; /* 0: never used; 1: no longer used */
    uint32_t number;
};

#define ENTRY_GONE ((uintptr_t)1)

static struct kept_file file = KEPT_FILE_NONE;
static pid_t owner; /* a child of fork() does not write into its parent's file */
static struct entry *table;
static uint32_t *free_numbers;
static size_t free_number_count;
static uint32_t next_number;
static struct trace_record buffer[BUFFER_COUNT];
static size_t buffered_count;

static bool is_recording(void)
{
    return file.descriptor >= 0 && owner == getpid();
}

/* Signals are blocked during the write. Otherwise a handler could fork, and the child would return
 * into the write to its parent's file. Signals of the thread's own faults stay unblocked, since a
 * blocked one would end the program. */
static void block_signals(sigset_t *ret_before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP, SIGSYS};
    sigset_t blocked;
    (void)sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        (void)sigdelset(&blocked, faults[i]);
    (void)pthread_sigmask(SIG_SETMASK, &blocked, ret_before);
}

static bool put_buffer(void)
{
    sigset_t before;
    block_signals(&before);
    bool is_written =
        owner != getpid() || kept_file_write(&file, buffer, buffered_count * sizeof buffer[0]);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return is_written;
}

static void flush(void)
{
    if (buffered_count != 0 && !put_buffer()) {
        say("heap: the trace ends here: the program closed its file, or the file cannot grow\n");
        kept_file_close(&file);
    }
    buffered_count = 0;
}

static void record(enum trace_operation operation, uint32_t block, size_t size_bytes)
{
    buffer[buffered_count++] =
        (struct trace_record){(uint32_t)operation, block, (uint64_t)size_bytes};
    if (buffered_count == BUFFER_COUNT)
        flush();
}

static void *map_memory(size_t bytes)
{
    void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    return memory == MAP_FAILED ? NULL : memory;
}

static size_t place_of(uintptr_t block)
{
    return (size_t)(block / 16 * UINT64_C(0x9e3779b97f4a7c15) >> 40) % TABLE_LENGTH;
}

/* Return the entry of a block; NULL if it was allocated before the recording began. */
static struct entry *find(const void *block)
{
    for (size_t i = place_of((uintptr_t)block);; i = (i + 1) % TABLE_LENGTH) {
        if (table[i].block == (uintptr_t)block)
            return &table[i];
        if (table[i].block == 0)
            return NULL;
    }
}

static uint32_t enter(const void *block)
{
    size_t i = place_of((uintptr_t)block);
    while (table[i].block > ENTRY_GONE)
        i = (i + 1) % TABLE_LENGTH;
    uint32_t number = free_number_count > 0 ? free_numbers[--free_number_count] : next_number++;
    table[i] = (struct entry){(uintptr_t)block, number};
    /* A probe ends only at an entry that was never used. */
    if (next_number > TABLE_LENGTH / 2) {
        say("heap: too many live blocks; the trace ends here\n");
        flush();
        kept_file_close(&file);
    }
    return number;
}

/* Call the kernel directly, since the C library's open() is a cancellation point. Move the file to
 * a high number, since programs expect to get the lowest one. */
static const char *open_file(const char *name)
{
    long opened =
        syscall(SYS_openat, AT_FDCWD, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (opened < 0)
        return strerrordesc_np(errno);
    file = kept_file_duplicate((int)opened);
    const char *problem = file.descriptor < 0 ? "no descriptor is free" : NULL;
    (void)syscall(SYS_close, opened);
    return problem;
}

static const char *start_into(const char *name)
{
    table = map_memory(TABLE_LENGTH * sizeof *table);
    free_numbers = map_memory(TABLE_LENGTH * sizeof *free_numbers);
    if (table == NULL || free_numbers == NULL)
        return "no memory for its table";
    return open_file(name);
}

static void say_of_file(const char *name, const char *problem)
{
    char text[NAME_BYTES + 256];
    if (problem == NULL)
        format_text(text, sizeof text, "heap: the trace of this process is in %s\n", name);
    else
        format_text(text, sizeof text,
                    "heap: nothing is recorded: HANDOFF_HEAP_TRACE names the file %s, which cannot "
                    "be created: %s\n",
                    name, problem);
    say(text);
}

void trace_start(const char *path)
{
    char name[NAME_BYTES];
    if (path == NULL)
        return;
    size_t length = (size_t)format_text(name, sizeof name, "%s.%u", path, (unsigned)getpid());
    const char *problem = length < sizeof name ? start_into(name) : strerrordesc_np(ENAMETOOLONG);
    if (problem == NULL)
        owner = getpid();
    say_of_file(name, problem);
}

void trace_finish(void)
{
    if (!is_recording())
        return;
    flush();
    kept_file_close(&file);
}

void trace_allocate(const void *block, size_t size_bytes)
{
    if (block != NULL && is_recording())
        record(TRACE_ALLOCATE, enter(block), size_bytes);
}

void trace_free(const void *block)
{
    if (block == NULL || !is_recording())
        return;
    struct entry *entry = find(block);
    if (entry == NULL)
        return;
    record(TRACE_FREE, entry->number, 0);
    free_numbers[free_number_count++] = entry->number;
    entry->block = ENTRY_GONE;
}

void trace_reallocate(const void *old_block, const void *new_block, size_t size_bytes)
{
    if (!is_recording())
        return;
    if (new_block == NULL) {
        if (size_bytes == 0)
            trace_free(old_block);
        return;
    }
    struct entry *entry = old_block == NULL ? NULL : find(old_block);
    if (entry == NULL) {
        trace_allocate(new_block, size_bytes);
        return;
    }
    uint32_t number = entry->number;
    record(TRACE_REALLOCATE, number, size_bytes);
    if (old_block == new_block)
        return;
    entry->block = ENTRY_GONE;
    free_numbers[free_number_count++] = number;
    (void)enter(new_block); /* gets the number that has just become free */
}
