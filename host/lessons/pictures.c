#include "host/lessons/pictures.h"

static void write_text(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text != '\0'; text++) {
        unsigned char character = (unsigned char)*text;
        if (character == '"' || character == '\\')
            fprintf(file, "\\%c", character);
        else if (character < ' ')
            fprintf(file, "\\u%04x", character);
        else
            fputc(character, file);
    }
    fputc('"', file);
}

static void write_pieces(FILE *file, const struct drawing *drawing)
{
    for (unsigned i = 0; i < drawing->piece_count; i++) {
        const struct drawing_piece *piece = &drawing->pieces[i];
        const char sign[] = {piece->sign, '\0'};
        fprintf(file,
                "%s{\"start_bytes\": %llu, \"end_bytes\": %llu, \"sign\": ", i > 0 ? ", " : "",
                (unsigned long long)piece->start_bytes, (unsigned long long)piece->end_bytes);
        write_text(file, sign);
        fputc('}', file);
    }
}

static void write_marks(FILE *file, const struct drawing *drawing)
{
    for (unsigned i = 0; i < drawing->mark_count; i++) {
        fprintf(file, "%s{\"offset_bytes\": %llu, \"name\": ", i > 0 ? ", " : "",
                (unsigned long long)drawing->marks[i].offset_bytes);
        write_text(file, drawing->marks[i].name);
        fputc('}', file);
    }
}

void pictures_write(void *context, const char *title, const struct drawing *drawing)
{
    const struct pictures *pictures = context;
    FILE *file = pictures->file;
    fprintf(file, "{\"lesson\": %u, \"step\": %u, \"call\": ", pictures->judge->lesson,
            pictures->judge->step);
    write_text(file, title);
    fprintf(file, ", \"size_bytes\": %llu, \"pieces\": [", (unsigned long long)drawing->size_bytes);
    write_pieces(file, drawing);
    fputs("], \"marks\": [", file);
    write_marks(file, drawing);
    fputs("]}\n", file);
    fflush(file);
}
