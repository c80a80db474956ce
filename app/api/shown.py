"""Ask for the rows of a table that are shown, and not for all there are."""

from collections.abc import Sequence
from dataclasses import replace

from app.api.questions import Question, answer_plan, foresee, plans_of
from app.sessionql.evaluate import Frame
from app.sessionql.narrowing import narrow
from app.sessionql.plan import leaves
from app.sessionql.vectors import LabelSet
from app.settings import Settings
from app.store.seam import Reader


def ask_rows(
    question: Question, reader: Reader, settings: Settings, limit: int
) -> list[Frame]:
    """Answer a question without steps, of which the first rows are shown.

    The first metric orders the rows. The others are asked about those alone, where
    that is quicker: their frames may lack series that are not shown, and have others.

    Args:
        question: what is asked.
        reader: who answers.
        settings: its bounds.
        limit: at most that many rows are shown.

    Raises:
        TooExpensive: the store hit its time limit.
    """
    at_hand = foresee([question], reader)
    first, *others = plans_of(question)
    top = answer_plan(first, question, reader, settings.max_rows)
    shown = [each.labels for each in top.series[:limit]]
    is_cut = len(shown) < len(top.series)
    frames = [replace(top, series=top.series[:limit])]
    for metric, plan in zip(question.metrics[1:], others, strict=True):
        if is_cut and at_hand.isdisjoint(leaves(plan)):
            one = Question((metric,), question.by, question.selector, question.window)
            frames.append(ask_of(one, reader, settings, shown))
        else:
            frames.append(answer_plan(plan, question, reader, settings.max_rows))
    return frames


def ask_of(
    question: Question, reader: Reader, settings: Settings, shown: Sequence[LabelSet]
) -> Frame:
    """Answer a question of one metric for these label sets, and maybe for others.

    Args:
        question: what is asked.
        reader: who answers.
        settings: its bounds.
        shown: the label sets that are wanted.

    Raises:
        TooExpensive: the store hit its time limit.
    """
    (plan,) = plans_of(question)
    some = None
    if len(question.by) == 1 and shown:
        some = narrow(plan, question.by[0], [labels[0] for labels in shown])
    return answer_plan(some or plan, question, reader, settings.max_rows)
