"""The English of documents, comments and messages: short sentences, plain words. language.py finds and explains."""

import language
import pytest


# The share of sentences that may have a complaint: names of others, quotations, a list in one sentence.
LIMIT_PER_MILLE = 5


def test_few_sentences_are_long_or_in_a_dialect():
    sentences = language.all_sentences()
    wrong = [(sentence, language.complaints(sentence)) for sentence in sentences]
    wrong = [f"{s.path}:{s.line}: {'; '.join(found)}: {s.text}" for s, found in wrong if found]
    assert len(sentences) > 5000, "the sentences are not found any more"
    assert len(wrong) * 1000 <= LIMIT_PER_MILLE * len(sentences), "\n".join(wrong)


def sentences(name, source):
    return [sentence.text for sentence in language.sentences_of(name, source)]


def test_sentences_of_a_comment_are_found():
    source = '''/* The first sentence has a period. The second goes on
 * in the next line.
 *
 *   name      its description stands in a column
 */
int value; // A comment of another kind.
// It has a second line.
const char *text = "it says \\"no\\" in two "
                   "literals";
'''
    assert sentences("a.c", source) == [
        "The first sentence has a period.", "The second goes on in the next line.",
        "its description stands in a column", "A comment of another kind.", "It has a second line.",
        'it says "no" in two literals']  # fmt: skip


def test_sentences_of_a_document_are_found():
    source = "# A heading of four words\n\nOne `name of code` counts once. See [the\nlink](url.md) here.\n\n" \
             "```\nnot a sentence here\n```\n- an item of a list\n\n| a cell of text | x |\n"  # fmt: skip
    assert sentences("a.md", source) == ["A heading of four words", "One CODE counts once.", "See the link here.",
                                         "an item of a list", "a cell of text"]  # fmt: skip


def test_sentences_of_a_script_are_found():
    assert sentences("a.py", '"""A docstring of words."""\n# A comment goes\n# on here.\nname = "a sentence of words"\n') == [
        "A docstring of words.", "a sentence of words", "A comment goes on here."]  # fmt: skip
    assert sentences("Makefile", "# A comment goes\n# on here.\nall: ## build all that is there\n") == [
        "A comment goes on here.", "build all that is there"]  # fmt: skip


@pytest.mark.parametrize("text", [
    "It is used by tests alone.", "False if there is none.", "It finds who wrote there.", "What may not be written is mapped.",
    "The check judges the map.", "The words tell of a machine.", "It is for whoever asks.", "word " * (language.LIMIT + 1),
])  # fmt: skip
def test_complaint_about(text):
    assert language.complaints(language.Sentence("a.c", 1, text))


@pytest.mark.parametrize("text", [
    "Return false if there is no frame.", "The call site that wrote the bytes is named.", "word " * language.LIMIT,
    "Ask the user what to do.",
])  # fmt: skip
def test_no_complaint_about(text):
    assert not language.complaints(language.Sentence("a.c", 1, text))
