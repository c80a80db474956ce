"""Find the rule files: those that ship with Skald, and those that are configured."""

from collections.abc import Iterable
from glob import glob, has_magic
from pathlib import Path

from app.ruler.model import Defaults, RuleSet
from app.ruler.problems import Problem, RuleFileError
from app.ruler.rulefile import read_rules
from app.settings import Settings
from app.shipped import rules_dir

TESTS = (".test.yml", ".test.yaml")
_SUFFIXES = (".yml", ".yaml")
Named = tuple[str, Path]  # the name that is shown and known, and where it is


def find_files(settings: Settings, more: Iterable[str] = ()) -> list[Named]:
    """List the rule files; tests of rules are left out.

    Raises:
        RuleFileError: something that is named is not there.
    """
    found: dict[str, Path] = {}
    if settings.shipped_rules:
        for path in sorted(rules_dir().iterdir()):
            if is_rule_file(path):
                found[f"rules/{path.name}"] = path
    found.update(named_files((*settings.rules, *more)))
    return list(found.items())


def named_files(patterns: Iterable[str]) -> list[Named]:
    """List the rule files that paths and patterns name; a directory means all in it.

    Raises:
        RuleFileError: something that is named is not there.
    """
    found: dict[str, Path] = {}
    missing = []
    for pattern in patterns:
        path = Path(pattern)
        if path.is_dir():
            matches = sorted(path.iterdir())
        elif has_magic(pattern):
            matches = [Path(each) for each in sorted(glob(pattern, recursive=True))]  # noqa: PTH207  # absolute ones
        else:
            matches = [path]
            if not path.is_file():
                missing.append(
                    Problem(pattern, "", "is no file; check `rules:` and --rules")
                )
        wanted = matches == [path] or None
        found |= {str(each): each for each in matches if wanted or is_rule_file(each)}
    if missing:
        raise RuleFileError(missing)
    return list(found.items())


def is_test_file(path: Path) -> bool:
    """Tell whether a file looks like tests of rules."""
    return path.name.endswith(TESTS)


def is_rule_file(path: Path) -> bool:
    """Tell whether a file looks like rules, and not like tests of rules."""
    return path.name.endswith(_SUFFIXES) and not is_test_file(path)


def load_rules(settings: Settings, more: Iterable[str] = ()) -> RuleSet:
    """Read all rules.

    Raises:
        RuleFileError: lists every problem of every file.
    """
    defaults = Defaults(settings.rule_interval_ms, settings.rule_offset_ms)
    return read_rules(find_files(settings, more), defaults)
