#include "kernel/diagnostics/monitor/arguments.h"

/* Take the next word off *line. It is empty at the end of the line. */
static struct piece next_word(struct piece *line)
{
    size_t start = 0;
    while (start < line->length && piece_is_blank(line->text[start]))
        start++;
    size_t end = start;
    while (end < line->length && !piece_is_blank(line->text[end]))
        end++;
    struct piece word = {line->text + start, end - start};
    *line = (struct piece){line->text + end, line->length - end};
    return word;
}

struct arguments arguments_split(struct piece line)
{
    struct arguments arguments = {.name = next_word(&line)};
    for (struct piece word = next_word(&line); word.length > 0; word = next_word(&line)) {
        if (piece_equals(word, "format=kv"))
            arguments.is_kv = true;
        else if (arguments.count++ < ARGUMENTS_LIMIT)
            arguments.words[arguments.count - 1] = word;
    }
    return arguments;
}

bool arguments_next_command(struct piece *list, struct piece *ret_command)
{
    if (list->length == 0)
        return false;
    size_t end = 0;
    while (end < list->length && list->text[end] != ';')
        end++;
    size_t taken = end < list->length ? end + 1 : end;
    *ret_command = (struct piece){list->text, end};
    *list = (struct piece){list->text + taken, list->length - taken};
    return true;
}

struct arguments_quote arguments_quote(struct piece piece)
{
    struct arguments_quote quote = {.text = ""};
    size_t room = sizeof quote.text - 1;
    size_t length = piece.length < room ? piece.length : room;
    for (size_t i = 0; i < length; i++) {
        char character = piece.text[i];
        quote.text[i] = character >= ' ' && character <= '~' ? character : '?';
    }
    for (size_t i = length - 3; piece.length > room && i < length; i++)
        quote.text[i] = '.';
    return quote;
}
