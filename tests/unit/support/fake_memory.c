#include "tests/unit/support/fake_memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NEW_PAGE_BYTE   0xa5
#define FREED_PAGE_BYTE 0xdb

static _Noreturn void misuse(const char *what, uint64_t address)
{
    fprintf(stderr, "fake_memory: %s at 0x%llx\n", what, (unsigned long long)address);
    abort();
}

static uint64_t page_index(const struct fake_memory *memory, struct phys_addr page)
{
    uint64_t offset = page.value - FAKE_MEMORY_BASE;
    if (offset / PAGE_SIZE_BYTES >= memory->page_count || !page_is_aligned(offset))
        misuse("no such page", page.value);
    return offset / PAGE_SIZE_BYTES;
}

void fake_memory_create(struct fake_memory *memory, uint64_t page_count)
{
    *memory = (struct fake_memory){
        .bytes = aligned_alloc(PAGE_SIZE_BYTES, page_count * PAGE_SIZE_BYTES),
        .used = calloc(page_count, sizeof(bool)),
        .page_count = page_count,
    };
    if (memory->bytes == NULL || memory->used == NULL)
        misuse("the host has no memory", 0);
}

void fake_memory_destroy(struct fake_memory *memory)
{
    free(memory->bytes);
    free(memory->used);
}

void *fake_memory_at(struct fake_memory *memory, struct phys_addr page)
{
    return memory->bytes + page_index(memory, page) * PAGE_SIZE_BYTES;
}

void fake_memory_fail_allocation(struct fake_memory *memory, uint64_t n)
{
    memory->failing_call = memory->allocation_count + n;
}

static void tell(struct fake_memory *memory, struct fake_memory_event event)
{
    if (memory->observe != NULL)
        memory->observe(memory->observe_context, &event);
}

static bool allocate_table(void *context, struct phys_addr *ret_table)
{
    struct fake_memory *memory = context;
    memory->allocation_count++;
    bool may_succeed = memory->allocation_count != memory->failing_call;
    for (uint64_t i = 0; may_succeed && i < memory->page_count; i++) {
        if (!memory->used[i]) {
            memory->used[i] = true;
            memory->used_count++;
            memset(memory->bytes + i * PAGE_SIZE_BYTES, NEW_PAGE_BYTE, PAGE_SIZE_BYTES);
            *ret_table = phys_addr(FAKE_MEMORY_BASE + i * PAGE_SIZE_BYTES);
            tell(memory,
                 (struct fake_memory_event){.kind = FAKE_MEMORY_ALLOCATED, .page = *ret_table});
            return true;
        }
    }
    memory->refused_count++;
    return false;
}

static void free_table(void *context, struct phys_addr table)
{
    struct fake_memory *memory = context;
    uint64_t index = page_index(memory, table);
    if (!memory->used[index])
        misuse("free of a free page", table.value);
    tell(memory, (struct fake_memory_event){.kind = FAKE_MEMORY_FREED, .page = table});
    memory->used[index] = false;
    memory->used_count--;
    memset(memory->bytes + index * PAGE_SIZE_BYTES, FREED_PAGE_BYTE, PAGE_SIZE_BYTES);
}

static uint64_t *access_table(void *context, struct phys_addr table)
{
    struct fake_memory *memory = context;
    if (!memory->used[page_index(memory, table)])
        misuse("access to a free page", table.value);
    return fake_memory_at(memory, table);
}

static void invalidate(void *context, struct virt_addr start, uint64_t size_bytes)
{
    struct fake_memory *memory = context;
    memory->invalidate_count++;
    memory->invalidated_start = start.value;
    memory->invalidated_size_bytes = size_bytes;
    memory->used_count_at_invalidate = memory->used_count;
    tell(memory, (struct fake_memory_event){FAKE_MEMORY_INVALIDATED, .start = start,
                                            .size_bytes = size_bytes});
}

static void publish(void *context)
{
    struct fake_memory *memory = context;
    memory->publish_count++;
    tell(memory, (struct fake_memory_event){.kind = FAKE_MEMORY_PUBLISHED});
}

struct page_table_memory fake_memory_callbacks(struct fake_memory *memory)
{
    return (struct page_table_memory){
        .context = memory,
        .allocate_table = allocate_table,
        .free_table = free_table,
        .access_table = access_table,
        .invalidate = invalidate,
        .publish = publish,
    };
}
