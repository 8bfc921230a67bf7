#include "host/trace.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "shared/format.h"

/* The live blocks' numbers, by address: open addressing with linear probing, in memory of its own,
 * since the heap that is traced cannot serve it. */
#define TABLE_LENGTH ((size_t)1 << 24)
#define BUFFER_COUNT 4096

struct entry {
    uintptr_t block; /* 0: never used; 1: not used any more */
    uint32_t number;
};

#define ENTRY_GONE ((uintptr_t)1)

static int file = -1;
static pid_t owner; /* a child of fork() does not write into its parent's file */
static struct entry *table;
static uint32_t *free_numbers;
static size_t free_number_count;
static uint32_t next_number;
static struct trace_record buffer[BUFFER_COUNT];
static size_t buffered_count;

/* Asked of the kernel directly: the library's write() would end a thread that is to be cancelled,
 * and the lock would stay with it. */
static bool put(int to, const void *bytes, size_t count)
{
    return syscall(SYS_write, to, bytes, count) == (long)count;
}

static void say(const char *text)
{
    (void)put(STDERR_FILENO, text, strlen(text)); /* there is nobody else to tell */
}

static bool is_recording(void)
{
    return file >= 0 && owner == getpid();
}

static void flush(void)
{
    size_t bytes = buffered_count * sizeof buffer[0];
    if (bytes != 0 && !put(file, buffer, bytes)) {
        say("heap: the trace cannot be written and ends here\n");
        file = -1;
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

/* The entry of a block, or NULL: it was allocated before the recording began. */
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
    /* Probing ends only at entries that were never used. */
    if (next_number > TABLE_LENGTH / 2) {
        say("heap: too many live blocks; the trace ends here\n");
        flush();
        file = -1;
    }
    return number;
}

void trace_start(const char *path)
{
    char name[512];
    if (path == NULL)
        return;
    format_text(name, sizeof name, "%s.%u", path, (unsigned)getpid());
    table = map_memory(TABLE_LENGTH * sizeof *table);
    free_numbers = map_memory(TABLE_LENGTH * sizeof *free_numbers);
    file = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (file < 0 || table == NULL || free_numbers == NULL) {
        say("heap: the trace's file cannot be made\n");
        file = -1;
        return;
    }
    owner = getpid();
}

void trace_finish(void)
{
    if (!is_recording())
        return;
    flush();
    file = -1;
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
    (void)enter(new_block); /* takes the number that was just let go */
}
