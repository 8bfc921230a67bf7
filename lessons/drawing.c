#include "lessons/drawing.h"

#include "shared/text/format.h"

#define SMALLEST_CELL_BYTES 8u
#define LEFT                "heap_start |"

void drawing_begin(struct drawing *ret_drawing, uint64_t size_bytes)
{
    ret_drawing->size_bytes = size_bytes;
    ret_drawing->smallest_cell_bytes = SMALLEST_CELL_BYTES;
    ret_drawing->piece_count = 0;
    ret_drawing->mark_count = 0;
    ret_drawing->whole = false;
}

void drawing_add(struct drawing *drawing, uint64_t start_bytes, uint64_t end_bytes, char sign)
{
    if (drawing->piece_count == DRAWING_PIECE_LIMIT || start_bytes >= end_bytes ||
        end_bytes > drawing->size_bytes)
        return;
    drawing->pieces[drawing->piece_count++] = (struct drawing_piece){start_bytes, end_bytes, sign};
}

void drawing_mark(struct drawing *drawing, uint64_t offset_bytes, const char *name)
{
    if (drawing->mark_count < DRAWING_MARK_LIMIT && offset_bytes <= drawing->size_bytes)
        drawing->marks[drawing->mark_count++] = (struct drawing_mark){offset_bytes, name};
}

/* Return the end of what has to be visible. */
static uint64_t shown_end(const struct drawing *drawing)
{
    uint64_t end = 0;
    for (unsigned i = 0; i < drawing->piece_count; i++)
        if (drawing->pieces[i].sign != DRAWING_FREE && drawing->pieces[i].end_bytes > end)
            end = drawing->pieces[i].end_bytes;
    for (unsigned i = 0; i < drawing->mark_count; i++)
        if (drawing->marks[i].offset_bytes > end)
            end = drawing->marks[i].offset_bytes;
    return end;
}

static char sign_at(const struct drawing *drawing, uint64_t start_bytes, uint64_t end_bytes)
{
    for (unsigned i = 0; i < drawing->piece_count; i++) {
        const struct drawing_piece *piece = &drawing->pieces[i];
        if (piece->sign != DRAWING_FREE && piece->start_bytes < end_bytes &&
            piece->end_bytes > start_bytes)
            return piece->sign;
    }
    return DRAWING_FREE;
}

static void print_marks(const struct drawing *drawing, uint64_t cell_bytes, char *ret_marks,
                        uint64_t capacity_bytes)
{
    uint64_t column = 0;
    ret_marks[0] = '\0';
    for (unsigned i = 0; i < drawing->mark_count; i++) {
        const struct drawing_mark *mark = &drawing->marks[i];
        uint64_t target = sizeof LEFT - 1 + mark->offset_bytes / cell_bytes;
        if (column >= capacity_bytes)
            return;
        int width = target > column ? (int)(target - column) : (i > 0);
        int written = format_text(ret_marks + column, capacity_bytes - column, "%*s^ %s = +%llu",
                                  width, "", mark->name, (unsigned long long)mark->offset_bytes);
        column += (uint64_t)written;
    }
}

void drawing_print(const struct drawing *drawing, char *ret_bar, char *ret_marks,
                   uint64_t capacity_bytes)
{
    uint64_t cell_bytes = drawing->smallest_cell_bytes;
    while ((drawing->whole || shown_end(drawing) > cell_bytes * (DRAWING_CELL_COUNT - 1)) &&
           drawing->size_bytes > cell_bytes * DRAWING_CELL_COUNT)
        cell_bytes *= 2;
    char cells[DRAWING_CELL_COUNT + 1];
    unsigned count = 0;
    for (; count < DRAWING_CELL_COUNT && count * cell_bytes < drawing->size_bytes; count++)
        cells[count] = sign_at(drawing, count * cell_bytes, (count + 1) * cell_bytes);
    cells[count] = '\0';
    const char *rest = count * cell_bytes < drawing->size_bytes ? "//" : "|";
    format_text(ret_bar, capacity_bytes, LEFT "%s%s heap_end = +%llu  (a cell: %llu byte%s)", cells,
                rest, (unsigned long long)drawing->size_bytes, (unsigned long long)cell_bytes,
                cell_bytes == 1 ? "" : "s");
    print_marks(drawing, cell_bytes, ret_marks, capacity_bytes);
}
