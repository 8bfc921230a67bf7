"""The words of a picture: what its pieces, its ends and its unit are called. They depend on the lesson."""

from dataclasses import dataclass, field

from units import size_text

FREE, GAP, HEADER, CANARY, POISON, UNNAMED = ".", "-", "#", "!", "~", "*"
ALIGNMENT_LESSONS = (4, 5, 6)
FRAME_LESSON = 9


@dataclass(frozen=True)
class Words:
    """The words of one lesson's pictures."""

    title: str = "The heap of lesson"
    start: str = "heap_start"
    end: str = "heap_end = +{}"
    unit: str = "byte"
    unit_bytes: int = 1
    sign: str = "+"
    block: str = "a block in use"
    names: dict = field(default_factory=lambda: {
        FREE: "free", GAP: "bytes that no block uses", HEADER: "the heap's own record",
        CANARY: "a canary", POISON: "poison in a freed block", UNNAMED: "blocks without a name",
    })  # fmt: skip

    def name(self, sign):
        """Return how a piece with this sign is called in a tooltip."""
        return self.names.get(sign, f"block {sign}" if self.unit == "byte" else f"allocation {sign}")

    def offset(self, offset_bytes):
        return f"{self.sign}{offset_bytes // self.unit_bytes}"

    def size(self, size_bytes):
        """Return a size as it is written into a piece: a small one is a number without a unit."""
        count = size_bytes // self.unit_bytes
        if self.unit == "byte" and count >= 4096 and count % 1024 == 0:
            return size_text(count)
        return str(count)

    def counted(self, size_bytes):
        count = size_bytes // self.unit_bytes
        return f"1 {self.unit}" if count == 1 else f"{count} {self.unit}s"

    def span(self, start, end):
        """Return the tooltip's words for a range."""
        return f"{self.counted(end - start)}, from {self.offset(start)} to {self.offset(end)}"


def words_of(lesson):
    if lesson == FRAME_LESSON:
        return Words(title="The frames of lesson", start="frame 0", end="{} frames", unit="frame", unit_bytes=4096,
                     sign="", block="allocated", names={FREE: "free", HEADER: "reserved"})  # fmt: skip
    words = Words()
    if lesson in ALIGNMENT_LESSONS:
        words.names[GAP] = "bytes left out for alignment"
    return words
