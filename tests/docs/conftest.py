"""Start the longest test first. At its old place the others had ended long before it, and a processor had no work."""

LONGEST = "test_chapters_show_the_tree"


def pytest_collection_modifyitems(items):
    items.sort(key=lambda item: item.name != LONGEST)
