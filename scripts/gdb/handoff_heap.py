"""The blocks of a heap, read from its memory: kernel/mm/heap. A function for each policy, as heap_walk() does.

It calls no function of the kernel, so it also works when the machine has stopped in the middle of a call.
"""

from dataclasses import dataclass

import gdb

from handoff_target import Memory, Missing

LIVE, FREE, OWN, QUARANTINED = "live", "free", "own", "quarantined"
# A walk reads at most this many pieces: an overwritten heap could have an endless list.
PIECE_LIMIT = 1_000_000

# kernel/mm/heap/policies/sealed_block.h
UNIT_BYTES, HEADER_BYTES = 16, 8
UNITS_SHIFT, SLACK_SHIFT, ALIGNMENT_SHIFT = 20, 52, 58
SEALED_LIVE, SEALED_FREE, SEALED_OWN = 1 << 16, 1 << 18, 1 << 19
# kernel/mm/heap/policies/fast_own.h and fast_slab.h
OWN_PAGES, OWN_ABSENT = 0, 4
SLAB_PAGE_BYTES, LEAF_PAGES = 8192, 64
SIZE_BITS = 15
# kernel/mm/heap/policies/best_fit_segment.h
SEGMENT_FREE, SEGMENT_USED, SEGMENT_END = 1, 2, 3
SEGMENT_HEADER_BYTES = 32
# kernel/mm/heap/layers/heap_debug_record.h
RECORD_QUARANTINED = 2
MASK = (1 << 64) - 1


@dataclass
class Piece:
    """A part of the heap's memory."""

    kind: str
    start: int
    extent_bytes: int
    size_bytes: int = 0  # of a live block, as requested
    allocated_by: int = 0  # a code address, if the heap recorded it


def policy_name(heap):
    return heap["policy"]["name"].string()


def state_of(heap, tag):
    """Return the policy's state, which follows struct heap."""
    pointer = gdb.lookup_type(f"struct {tag}").pointer()
    return heap["policy_state"].address.cast(pointer).dereference()


def unsound(address):
    return Missing(
        f"The walk stops at 0x{address:x}: this header is not sound. Either it was overwritten, or the machine stopped "
        "in the middle of a call of the heap."
    )


def sealed_pieces(memory, first, end):
    """Yield (block, header) of the blocks behind sealed headers."""
    block = first
    while block < end:
        header = memory.word(block - HEADER_BYTES)
        units = header >> UNITS_SHIFT & 0xFFFF_FFFF
        if units == 0 or units > (end - block) // UNIT_BYTES:
            raise unsound(block - HEADER_BYTES)
        yield block, header
        block += units * UNIT_BYTES


def sealed_piece(block, header):
    extent = (header >> UNITS_SHIFT & 0xFFFF_FFFF) * UNIT_BYTES - HEADER_BYTES
    if header & SEALED_LIVE:
        return Piece(LIVE, block, extent, extent - (header >> SLACK_SHIFT & 63))
    return Piece(OWN if header & SEALED_OWN else FREE, block, extent)


def walk_bump(heap, memory):
    state = state_of(heap, "bump_state")
    following, end = int(state["next"]), int(state["end"])
    for block, header in sealed_pieces(memory, int(heap["base"]) + UNIT_BYTES, following):
        piece = sealed_piece(block, header)
        if piece.kind == FREE:
            piece.kind = OWN  # a gap serves no request
        yield piece
    if end > following:
        yield Piece(FREE, following, end - following - HEADER_BYTES)


def walk_first_fit(heap, memory):
    end = int(state_of(heap, "first_fit_state")["end"])
    for block, header in sealed_pieces(memory, int(heap["base"]) + UNIT_BYTES, end):
        yield sealed_piece(block, header)


def walk_best_fit(heap, _memory):
    state = state_of(heap, "best_fit_state")
    segment_type = gdb.lookup_type("struct best_fit_segment").pointer()
    segment, end = int(state["first"]), int(state["end"])
    while segment < end:
        header = gdb.Value(segment).cast(segment_type)
        length, kind = int(header["length_units"]) * UNIT_BYTES, int(header["state"])
        if length < SEGMENT_HEADER_BYTES or length > end - segment or kind not in (SEGMENT_FREE, SEGMENT_USED):
            raise unsound(segment)
        extent = length - SEGMENT_HEADER_BYTES
        piece = Piece(FREE, segment + SEGMENT_HEADER_BYTES, extent)
        if kind == SEGMENT_USED:
            piece.kind, piece.size_bytes = LIVE, extent - int(header["slack_bytes"])
            piece.allocated_by = int(header["allocated_by"])
        yield piece
        segment += length


class Slab:
    """A slab of the fast policy: fast_slab.h."""

    def __init__(self, fast, memory, record):
        self.memory = memory
        self.slots, self.count = int(record["slots"]), int(record["slot_count"])
        self.stride, self.least = int(record["stride_bytes"]), int(record["least_bytes"])
        self.mark, self.is_dissolved = int(record["mark"]), bool(record["is_dissolved"])
        self.canaries = fast["core"]["secret"]["canaries"]
        self.words = int(record["free"].address)
        if self.stride == 0:
            raise unsound(self.slots)

    def bit(self, index, is_mark):
        words_of_marks = self.count // 64 + 1 if is_mark else 0
        return self.memory.word(self.words + 8 * (words_of_marks + index // 64)) >> index % 64 & 1

    def size_of(self, index):
        """Return the requested size of a live slot."""
        is_padded = self.mark < 256
        if not is_padded and not self.bit(index, is_mark=True):
            return self.stride
        slot = self.slots + index * self.stride
        first, last = self.memory.word(slot + self.least), self.memory.word(slot + self.least + 8)
        key = self.canaries
        canary = ((slot + self.stride ^ int(key["first"])) * int(key["odd"]) & MASK) >> 8
        short = last ^ (canary | (self.mark & 255) << 56)
        if first == last ^ MASK and short < self.least:
            return short
        return self.least + ((last >> 56 ^ self.mark) & SIZE_BITS)

    def pieces(self, block, end):
        """Yield the slots between two addresses, or those of a piece of a dissolved slab."""
        for index in range(max(0, block - self.slots) // self.stride, self.count):
            slot = self.slots + index * self.stride
            is_free = self.bit(index, is_mark=False)
            if slot >= end or (self.is_dissolved and is_free and not self.bit(index, is_mark=True)):
                return
            yield Piece(FREE, slot, self.stride) if is_free else Piece(LIVE, slot, self.stride, self.size_of(index))


def find_slab(fast, memory, block):
    place = (block - int(fast["map_floor"])) // (LEAF_PAGES * SLAB_PAGE_BYTES)
    if not 0 <= place < int(fast["map_length"]):
        raise unsound(block)
    leaf = memory.word(int(fast["map"]) + 8 * place)
    record = memory.word((leaf + block // SLAB_PAGE_BYTES * 8) & MASK)
    return Slab(fast, memory, gdb.Value(record).cast(gdb.lookup_type("struct fast_slab").pointer()).dereference())


def walk_fast(heap, memory):
    fast = state_of(heap, "fast_state")
    core = fast["core"]
    for block, header in sealed_pieces(memory, int(core["first"]), int(core["end"])):
        piece, kind = sealed_piece(block, header), header >> ALIGNMENT_SHIFT
        if piece.kind == OWN and kind == OWN_PAGES:
            end = block + piece.extent_bytes + HEADER_BYTES
            yield from find_slab(fast, memory, block).pieces(block, end)
            continue
        if piece.kind == OWN and kind == OWN_ABSENT:
            piece.kind = FREE
        yield piece


POLICIES = {"bump": walk_bump, "first-fit": walk_first_fit, "best-fit": walk_best_fit, "fast": walk_fast}


def below_debug_layer(piece):
    """Return the caller's block in a block of the policy, from the record behind it (heap_debug_record.h)."""
    record_type = gdb.lookup_type("struct heap_debug_record")
    place = piece.start + piece.size_bytes - piece.size_bytes % 8 - record_type.sizeof
    record = gdb.Value(place).cast(record_type.pointer())
    kind = QUARANTINED if int(record["state"]) == RECORD_QUARANTINED else LIVE
    return Piece(kind, piece.start, piece.extent_bytes, int(record["size_bytes"]), int(record["allocated_by"]))


def walk(heap):
    """Yield the pieces of a heap, struct heap, in order of address."""
    memory, has_debug_layer = Memory(), int(heap["layers"][0]) != 0
    for count, piece in enumerate(POLICIES[policy_name(heap)](heap, memory)):
        if count == PIECE_LIMIT:
            raise Missing(f"The walk stops after {PIECE_LIMIT} pieces.")
        yield below_debug_layer(piece) if has_debug_layer and piece.kind == LIVE else piece


def counters(heap):
    """Return the counters of the callers' requests, with the bytes in use."""
    values = heap["outer_counters"].dereference()
    result = {name: int(values[name]) for name in ("peak_used_bytes", "free_count", "failure_count", "fault_count")}
    result["used_bytes"] = result["peak_used_bytes"] - int(values["below_peak_bytes"])
    return result
