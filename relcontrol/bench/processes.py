"""Work in forked processes, each with a database connection of its own."""

import multiprocessing
from collections.abc import Callable, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from django.db import connections

Result = TypeVar("Result")


def in_processes(works: Sequence[Callable[[], Result]]) -> list[Result]:
    """Do all of these at once; their results in order. An error of one is raised here with its words."""
    connections.close_all()  # a child must not find a connection that its parent goes on using
    context = multiprocessing.get_context("fork")
    ends = [context.Pipe(duplex=False) for _ in works]
    processes = [
        context.Process(target=_child, args=(work, sender)) for work, (_, sender) in zip(works, ends, strict=True)
    ]
    for process, (_, sender) in zip(processes, ends, strict=True):
        process.start()
        sender.close()
    answers = [_received(receiver) for receiver, _ in ends]
    for process in processes:
        process.join()
    failures = [answer for answer in answers if isinstance(answer, _Failure)]
    if failures:
        raise RuntimeError(f"{len(failures)} of {len(works)} processes failed; the first said: {failures[0].words}")
    return [answer for answer in answers if not isinstance(answer, _Failure)]


class _Failure:
    """What went wrong in a child."""

    def __init__(self, words: str) -> None:
        self.words = words


def _child(work: Callable[[], Result], sender: Connection) -> None:
    try:
        sender.send(work())
    except Exception as error:  # the parent raises it again with its words
        sender.send(_Failure(f"{type(error).__name__}: {error}"))
    finally:
        connections.close_all()


def _received(receiver: Connection) -> Any:
    try:
        return receiver.recv()
    except EOFError:
        return _Failure("it was killed before it answered")
