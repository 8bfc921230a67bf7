#include "kernel/diagnostics/monitor/command_bytes.h"

#include "shared/text/format.h"

#define ROW_BYTES 16u
/* A quarter of a screen. More would scroll away. */
#define PEEK_LIMIT_BYTES 256u

static const char *guard_owner(const struct monitor_state *monitor, struct virt_addr address)
{
    const struct address_space_guard *guard =
        address_space_find_guard(&monitor->kernel->address_space, address);
    return guard != NULL ? guard->name : NULL;
}

static void refuse_unmapped(const struct monitor_state *monitor, struct virt_addr address,
                            enum page_table_status status)
{
    const char *name = monitor->running->name;
    const char *owner = guard_owner(monitor, address);
    unsigned long long value = address.value;
    if (status == PAGE_TABLE_NON_CANONICAL)
        monitor_say("%s: 0x%llx is not canonical: no tables can map it", name, value);
    else if (owner != NULL)
        monitor_say("%s: 0x%llx is in a guard page of \"%s\", which is not mapped", name, value,
                    owner);
    else
        monitor_say("%s: nothing is mapped at 0x%llx: pages 0x%llx shows why", name, value, value);
}

/* Return true if the byte may be accessed. Print the reason otherwise. */
static bool allows(const struct monitor_state *monitor, struct virt_addr address, bool is_write)
{
    struct page_mapping mapping;
    enum page_table_status status =
        page_table_lookup(&monitor->kernel->address_space.table, address, &mapping);
    if (status != PAGE_TABLE_OK) {
        refuse_unmapped(monitor, address, status);
        return false;
    }
    if (is_write && !mapping.permissions.write) {
        monitor_say("poke: the page at 0x%llx is read-only", (unsigned long long)address.value);
        return false;
    }
    if (mapping.permissions.memory_type == PAGE_MEMORY_UNCACHED) {
        monitor_say("%s: 0x%llx belongs to a device, and an access may change its state; the word "
                    "force does it",
                    monitor->running->name, (unsigned long long)address.value);
        return false;
    }
    return true;
}

/* Check each page of the range. Precondition: it does not wrap. */
static bool allows_range(const struct monitor_state *monitor, uint64_t address, uint64_t count)
{
    uint64_t last_page = page_align_down(address + (count - 1));
    if (!allows(monitor, virt_addr(address), false))
        return false;
    return page_align_down(address) == last_page || allows(monitor, virt_addr(last_page), false);
}
_Static_assert(PEEK_LIMIT_BYTES <= PAGE_SIZE_BYTES, "a range touches two pages at most");

static void say_row(const struct monitor_state *monitor, uint64_t address, unsigned count)
{
    char hexadecimal[3 * ROW_BYTES + 1];
    char characters[ROW_BYTES + 1];
    size_t length = 0;
    for (unsigned i = 0; i < count; i++) {
        uint8_t byte = *monitor->reach(monitor, virt_addr(address + i));
        length +=
            (size_t)format_text(hexadecimal + length, sizeof hexadecimal - length, "%02x ", byte);
        characters[i] = byte >= ' ' && byte <= '~' ? (char)byte : '.';
    }
    characters[count] = '\0';
    monitor_say("0x%016llx  %-48s %s", (unsigned long long)address, hexadecimal, characters);
}

/* The third argument may only be `force`. */
static bool read_force(const struct monitor_state *monitor, const struct arguments *arguments,
                       bool *ret_force)
{
    *ret_force = monitor_argument_is(arguments, 2, "force");
    if (arguments->count < 3 || *ret_force)
        return true;
    monitor_say("%s: the third argument can only be the word force, and not \"%s\"",
                monitor->running->name, arguments_quote(arguments->words[2]).text);
    return false;
}

void command_peek(struct monitor_state *monitor, const struct arguments *arguments)
{
    uint64_t address;
    uint64_t count;
    bool force;
    if (!read_force(monitor, arguments, &force) ||
        !monitor_number(monitor, arguments->words[0], "ADDRESS", &address))
        return;
    count = UINT64_MAX - address < ROW_BYTES ? UINT64_MAX - address + 1 : ROW_BYTES;
    if (arguments->count > 1 && !monitor_number(monitor, arguments->words[1], "COUNT", &count))
        return;
    if (count == 0 || count > PEEK_LIMIT_BYTES || count - 1 > UINT64_MAX - address) {
        monitor_say("peek: COUNT must be from 1 to %u, and end below 2^64", PEEK_LIMIT_BYTES);
        return;
    }
    if (!force && !allows_range(monitor, address, count))
        return;
    for (uint64_t done = 0; done < count; done += ROW_BYTES)
        say_row(monitor, address + done,
                (unsigned)(count - done < ROW_BYTES ? count - done : ROW_BYTES));
}

void command_poke(struct monitor_state *monitor, const struct arguments *arguments)
{
    uint64_t address;
    uint64_t value;
    bool force;
    if (!read_force(monitor, arguments, &force) ||
        !monitor_number(monitor, arguments->words[0], "ADDRESS", &address) ||
        !monitor_number(monitor, arguments->words[1], "BYTE", &value))
        return;
    if (value > UINT8_MAX) {
        monitor_say("poke: BYTE must be from 0 to 0xff");
        return;
    }
    if (!force && !allows(monitor, virt_addr(address), true))
        return;
    *monitor->reach(monitor, virt_addr(address)) = (uint8_t)value;
    monitor_say("0x%llx is now 0x%02x", (unsigned long long)address, (unsigned)value);
}
