#include "shared/page_fault.h"

#include "shared/text/format.h"
#include "shared/text/packed_text.h"

static const char *access_text(enum page_fault_access access)
{
    switch (access) {
    case PAGE_FAULT_READ:
        return "read";
    case PAGE_FAULT_WRITE:
        return "write";
    case PAGE_FAULT_FETCH:
        break;
    }
    return PACKED("instruction fetch");
}

static const char obstacles[][56] PACKED_SECTION = {
    [PAGE_FAULT_NOT_MAPPED] = "no page is mapped there",
    [PAGE_FAULT_BAD_ENTRY] = "a page-table entry on the way has reserved bits set",
    [PAGE_FAULT_KEY] = "the page is there, but its protection key forbids it",
    [PAGE_FAULT_NOT_EXECUTABLE] = "the page is there, but not executable",
    [PAGE_FAULT_NOT_WRITABLE] = "the page is there, but not writable",
    [PAGE_FAULT_NOT_READABLE] = "the page is there, but not readable from this mode",
};

void page_fault_describe(const struct page_fault *fault, char *text, size_t capacity_bytes)
{
    format_packed(text, capacity_bytes, "0x%llx: %s in %s mode%s, %s%s",
                  (unsigned long long)fault->code, access_text(fault->access),
                  fault->is_from_user ? "user" : "kernel",
                  fault->is_to_shadow_stack ? PACKED(" to the shadow stack") : "",
                  (const char *)packed_text_read(obstacles[fault->obstacle]),
                  fault->has_other_bits ? PACKED("; other bits are set as well") : "");
}

const char *page_fault_address_text(struct virt_addr address, bool is_canonical)
{
    if (address.value < PAGE_SIZE_BYTES)
        return PACKED("in page 0: a null pointer");
    if (address.value >= 0 - PAGE_SIZE_BYTES)
        return PACKED("in the last page: a null pointer and a negative offset, or an error number");
    return is_canonical ? NULL : "not a canonical address";
}
