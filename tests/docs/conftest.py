"""Start the longest test first. If it starts last, the others end long before it, and the other processors wait."""

LONGEST = "test_chapters_show_the_tree"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name != LONGEST)
