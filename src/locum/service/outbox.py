"""The outbox: what follows a commit is done afterwards, and retried until it succeeds.

Nothing is given up: a task that fails is put off, each time longer up to five minutes, and shows
in `status`, in the metrics and in its own last error for as long as it waits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import structlog

from locum.model.refusal import LocumError
from locum.service.wiring import Locum
from locum.store.records import Task

CLAIM = timedelta(seconds=90)
AT_ONCE = 16
FIRST_DELAY = timedelta(seconds=1)
LONGEST_DELAY = timedelta(minutes=5)
Worker = Callable[[Locum, Task], None]
_log = structlog.get_logger("locum.outbox")


def work_off(locum: Locum, workers: Mapping[str, Worker]) -> int:
    """Do the tasks that are due, once each.

    Args:
        workers: by kind of task; each raises where the task is not done, and may be called again
            for a task that was done.

    Returns:
        How many tasks were tried.
    """
    now = locum.clock()
    tasks = locum.store.act(
        lambda transaction: transaction.take_tasks(now, now + CLAIM, AT_ONCE)
    ).result()
    for task in tasks:
        _try(locum, workers, task)
    return len(tasks)


def delay(attempts: int) -> timedelta:
    """How long to wait after so many failed attempts."""
    doubled: timedelta = FIRST_DELAY * (1 << min(attempts, 16))
    return min(doubled, LONGEST_DELAY)


def _try(locum: Locum, workers: Mapping[str, Worker], task: Task) -> None:
    try:
        workers[task.kind](locum, task)
    except LocumError as error:
        _put_off(locum, task, str(error))
    except Exception as error:  # a worker's bug must not stop the others, nor lose its task
        _log.exception("task.failed", task=task.id, kind=task.kind)
        _put_off(locum, task, f"{type(error).__name__} inside Locum; see its log.")
    else:
        locum.store.act(lambda transaction: transaction.finish_task(task.id)).result()


def _put_off(locum: Locum, task: Task, error: str) -> None:
    due = locum.clock() + delay(task.attempts)
    _log.warning(
        "task.put_off",
        task=task.id,
        kind=task.kind,
        subject=task.subject,
        error=error,
        attempts=task.attempts + 1,
        due=due.isoformat(),
    )
    locum.store.act(lambda transaction: transaction.postpone_task(task.id, due, error)).result()
