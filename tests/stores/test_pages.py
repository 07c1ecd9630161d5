"""A page says that another follows only where one does."""

from __future__ import annotations

import pytest

from locum.model.request import ask_of
from locum.store.port import Store
from tests.stores.states import asked, closed


@pytest.mark.parametrize("kept", [0, 1, 2, 3, 4, 6])
@pytest.mark.parametrize("grants_only", [False, True])
def test_the_page_that_ends_the_list_has_no_cursor(
    store: Store, kept: int, grants_only: bool
) -> None:
    for number in range(kept):
        state = closed(number) if grants_only else asked(number)
        store.act(lambda one, new=state: one.add_request(new)).result()  # type: ignore[misc]
    pages, cursor = 0, None
    seen: list[str] = []
    while True:
        page = store.look(
            lambda one, at=cursor: one.requests(cursor=at, limit=2, grants_only=grants_only)  # type: ignore[misc]
        )
        pages += 1
        seen += [ask_of(row.state).id for row in page.rows]
        cursor = page.cursor
        if cursor is None:
            break
    assert pages == max(1, (kept + 1) // 2), "no empty page at the end"
    assert len(set(seen)) == kept
