"""Find what only several settings together can get wrong."""

from app.configuration.problems import Problems
from app.configuration.read import Values
from app.configuration.shape import Path, spell
from app.configuration.units import format_duration
from app.events.mapped import complete
from app.settings import MappingSettings, RemoteWriteSettings, SourceSettings


def check_settings(values: Values, problems: Problems) -> None:
    """Refuse a token of the service that is given twice."""
    both = [values.get("api_token"), values.get("api_token_file")]
    if all(both) and both[1]:
        problems.add(
            both[1].place, "api_token_file: api_token is set as well; keep one of them"
        )


def check_loki(values: Values, problems: Problems) -> None:
    """Refuse two ways of telling Loki who asks, and half of one."""
    _check_credentials(values, "loki", "Loki", problems)


def check_receivers(
    receivers: list[Values], places: list[str], problems: Problems
) -> None:
    """Refuse names that come twice, and what is wrong with who we say we are."""
    seen: dict[str, str] = {}
    for index, (values, place) in enumerate(zip(receivers, places, strict=True)):
        here = f"remote_write[{index}]"
        name = values["name"].value if "name" in values else RemoteWriteSettings().name
        at = values["name"].place if "name" in values else place
        if name in seen:
            what = f"{name!r} is the name of the receiver at {seen[name]} too"
            problems.add(at, f"{here}.name: {what}; give each its own")
        seen.setdefault(name, at)
        _check_credentials(values, here, "a receiver", problems)


def _check_credentials(values: Values, here: str, who: str, problems: Problems) -> None:
    ways = [name for name in ("username", "token", "token_file") if name in values]
    if len(ways) > 1:
        place = values[ways[-1]].place
        problems.add(
            place,
            f"{here}: {' and '.join(ways)} are all set; {who} takes one, keep one",
        )
    if "password" in values and "username" not in values:
        problems.add(
            values["password"].place,
            f"{here}.password: has no username; add {here}.username",
        )


def check_sources(sources: list[Values], places: list[str], problems: Problems) -> None:
    """Refuse names that come twice, and times that contradict each other."""
    seen: dict[str, str] = {}
    for index, (values, place) in enumerate(zip(sources, places, strict=True)):
        name = values["name"].value if "name" in values else SourceSettings().name
        at = values["name"].place if "name" in values else place
        if name in seen:
            problems.add(
                at,
                f"sources[{index}].name: {name!r} is the name of the source at "
                f"{seen[name]} too; give each its own",
            )
        seen.setdefault(name, at)
        _check_times(values, index, problems)


def _check_times(values: Values, index: int, problems: Problems) -> None:
    for small, large in (("lag_ms", "horizon_ms"), ("inactivity_ms", "max_session_ms")):
        given = [values[name] for name in (small, large) if name in values]
        least, most = (
            values[name].value if name in values else getattr(SourceSettings(), name)
            for name in (small, large)
        )
        if given and least > most:
            keys = small.removesuffix("_ms"), large.removesuffix("_ms")
            problems.add(
                given[0].place,
                f"sources[{index}].{keys[0]}: {format_duration(least)!r} is more than "
                f"{keys[1]}, {format_duration(most)!r}; lower it, or raise {keys[1]}",
            )


def check_mapping(
    mapping: MappingSettings, place: str, path: Path, problems: Problems
) -> None:
    """Refuse a mapping that finds no event, nobody's session, or hashes without a key."""
    whole = complete(mapping)
    name = spell(path)
    if not whole.events:
        problems.add(
            place, f"{name}.events: says of no line what it is; list one, or set preset"
        )
    if not (whole.session or whole.user or whole.who):
        problems.add(
            place, f"{name}: tells nobody apart; set session, user or who to a field"
        )
    if whole.who and not whole.salt:
        problems.add(
            place,
            f"{name}.salt: is missing; `who` is hashed with it: set it or salt_file",
        )
