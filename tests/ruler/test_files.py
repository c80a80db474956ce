"""Rule files: read as Prometheus reads them, and every problem is said at its place."""

from pathlib import Path

import pytest

from app.ruler.files import find_files, load_rules
from app.ruler.model import Defaults
from app.ruler.order import in_order, reach_of
from app.ruler.problems import RuleFileError
from app.ruler.rulefile import read_rules
from app.settings import Settings

HEAD = "groups:\n  - name: g\n    rules:\n"
GOOD = "      - record: a:b\n        expr: '{} | count_over_time()'\n"

REFUSED = [  # file → place and part of what is said
    ("", "f.yml", "begin it with `groups:`"),
    ("groups: 3", "f.yml:1:9", "is no list"),
    ("[]", "f.yml:1:1", "is no mapping"),
    ("groups: [", "f.yml:1:10", "is not YAML"),
    ("grups: []", "f.yml:1:1", "no key 'grups'; did you mean 'groups'?"),
    ("groups: []\ngroups: []", "f.yml:2:1", "stands here twice"),
    ("groups:\n  - rules: []", "f.yml:2:5", "has no name"),
    ("groups:\n  - name: g\n    interval: 5", "f.yml:3:15", "has no unit"),
    ("groups:\n  - name: g\n    interval: 0s", "f.yml:3:15", "between 1s and 7d"),
    ("groups:\n  - name: g\n    limit: -1", "f.yml:3:12", "no whole number"),
    ("groups:\n  - name: g\n    query_offset: x", "f.yml:3:19", "not a duration"),
    ("groups:\n  - name: g\n  - name: g", "f.yml:3:5", "stands at f.yml:2:5 too"),
    (HEAD + "      - expr: '1'\n", "f.yml:4:9", "neither record nor alert"),
    (HEAD + "      - {record: 'a:b', alert: X, expr: '1'}\n", "f.yml:4:9", "both record"),
    (HEAD + "      - record: a:b\n", "f.yml:4:9", "has no expr"),
    (HEAD + GOOD + "        foo: 1\n", "f.yml:6:9", "no key 'foo'; did you mean 'for'?"),
    (HEAD + GOOD + "        for: 1m\n", "f.yml:6:14", "no meaning in a recording rule"),
    (HEAD + GOOD + "        labels: {a-b: x}\n", "f.yml:6:23", "no label name"),
    (HEAD + GOOD + "        labels: {__name__: x}\n", "f.yml:6:28", "no label name"),
    (HEAD + GOOD + GOOD, "f.yml:6:9", "stands at f.yml:4:9 too"),
    (HEAD + "      - {record: 'a b', expr: '1'}\n", "f.yml:4:18", "no metric name"),
    (HEAD + "      - {record: 'a{}', expr: '1'}\n", "f.yml:4:18", "belong into expr"),
    (HEAD + "      - {alert: '', expr: '1'}\n", "f.yml:4:17", "has no name"),
    (HEAD + "      - {record: a, expr: '{ ap=\"x\" }|count_over_time()'}\n",
     "f.yml:4:30", "did you mean 'app'?"),
    (HEAD + "      - record: a\n        expr: |\n          {}\n          | nope()\n",
     "f.yml:7:13", "no function 'nope'"),
    (HEAD + "      - {record: a, expr: '{}'}\n", "f.yml:4:28", "| count_over_time()"),
    (HEAD + "      - alert: X\n        expr: '1'\n        annotations: {s: '{{ x }}'}\n",
     "f.yml:6:26", "no function 'x'"),
    (HEAD + "      - alert: X\n        expr: '1'\n        labels: {s: '{{ $value'}\n",
     "f.yml:6:21", "not closed"),
]  # fmt: skip


@pytest.mark.parametrize(("text", "place", "what"), REFUSED)
def test_refused(text: str, place: str, what: str, tmp_path: Path) -> None:
    """What is wrong is said with its place and a remedy."""
    path = tmp_path / "f.yml"
    path.write_text(text)

    with pytest.raises(RuleFileError) as caught:
        read_rules([("f.yml", path)])

    said = [str(each) for each in caught.value.problems]
    assert any(each.startswith(f"{place}: ") and what in each for each in said), said


def test_all_problems_of_all_files_come_at_once(tmp_path: Path) -> None:
    """A reload does not have to be tried once for each mistake."""
    for name in ("a", "b"):
        (tmp_path / name).write_text(HEAD + GOOD + "        foo: 1\n        bar: 2\n")

    with pytest.raises(RuleFileError, match="5 problems in the rules") as caught:
        read_rules([(name, tmp_path / name) for name in ("a", "b")])

    assert {each.place.split(":")[0] for each in caught.value.problems} == {"a", "b"}


def test_defaults_come_from_the_settings(tmp_path: Path) -> None:
    """A group that does not say is evaluated as configured."""
    path = tmp_path / "f.yml"
    path.write_text(HEAD + GOOD)

    (group,) = read_rules([("f.yml", path)], Defaults(30_000, 7_000)).groups

    assert (group.interval, group.offset, group.limit) == (30_000, 7_000, 0)


def test_shipped_rules_can_be_used() -> None:
    """What ships is read without a problem, and its tests are no rules."""
    settings = Settings()

    rules = load_rules(settings)

    assert len(rules.rules()) > 25
    assert all(".test." not in name for name, _ in find_files(settings))


def test_files_are_named_by_paths_directories_and_patterns(tmp_path: Path) -> None:
    """All three ways lead to the same files; a path that is not there is said."""
    for name in ("a.yml", "b.yaml", "a.test.yml", "c.txt"):
        (tmp_path / name).write_text("groups: []")
    settings = Settings(shipped_rules=False)
    both = [str(tmp_path / "a.yml"), str(tmp_path / "b.yaml")]

    found = [
        [name for name, _ in find_files(settings, more)]
        for more in (both, [str(tmp_path)], [f"{tmp_path}/*.y*ml"])
    ]

    assert found == [both, both, both]
    with pytest.raises(RuleFileError, match="is no file"):
        find_files(settings, [str(tmp_path / "nope.yml")])


def test_groups_that_are_read_come_first(tmp_path: Path) -> None:
    """The order follows what expressions read; so does how far back a group looks."""
    path = tmp_path / "f.yml"
    path.write_text(
        "groups:\n"
        "  - {name: last, rules: [{record: 'z:z', expr: 'b:b * 2'}]}\n"
        "  - {name: mid, rules: [{record: 'b:b', expr: 'a:a + 1'}]}\n"
        "  - {name: first, rules: [{record: 'a:a', expr: '{}[1h] | count_over_time()'}]}\n"
    )
    groups = read_rules([("f.yml", path)]).groups

    names = [each.name for each in in_order(groups)]

    assert names == ["first", "mid", "last"]
    assert reach_of(groups)["f.yml;last"] == 3_600_000 + 2 * 60_000
