"""`skald export` and `skald erase`: what is held of one person."""

import os
import secrets
import shlex
import sys
from contextlib import AbstractContextManager, closing, nullcontext
from pathlib import Path
from typing import BinaryIO

import click
import orjson

from app import clock
from app.api.exporting import lines_of
from app.commands.base import main, settings_of
from app.jobs.privacy import serve_requests
from app.settings import Settings, SourceSettings
from app.store import open_privacy_book
from app.store.privacy_seam import ERASURE, EXPORT, PrivacyBook, Request

_USER = click.option(
    "--user", required=True, help="User id, e-mail, name or anonymous id."
)


@main.command("export")
@_USER
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file, which only you may read; else to standard output.",
)
@click.pass_context
def export(context: click.Context, user: str, out: Path | None) -> None:
    """Write all that is held of one person, as JSON.

    One session a line.

    The person is found by whatever lines say together: who is asked for by user id is
    found by the e-mail as well, and in browsers in which nobody else was identified.
    What other people did in a session that changed user is left out.

    \b
    skald export --user u123 --out u123.ndjson
    skald export --user jane@example.com | jq .overview
    """  # noqa: D301
    settings = settings_of(context)
    with closing(open_privacy_book(settings)) as book:
        request = _do(book, settings, EXPORT, user)
        _tell(book, request)
        try:
            with _opened(out) as file:
                file.writelines(lines_of(book.read(request.id)))
        finally:
            book.discard(request.id)


def _opened(out: Path | None) -> AbstractContextManager[BinaryIO]:
    if out is None:
        return nullcontext(sys.stdout.buffer)
    mode = os.O_WRONLY | os.O_CREAT | os.O_TRUNC
    return os.fdopen(os.open(out, mode, 0o600), "wb")


@main.command("erase")
@_USER
@click.option("--dry-run", is_flag=True, help="Tell what would go, and erase nothing.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.pass_context
def erase(
    context: click.Context,
    user: str,
    dry_run: bool,  # noqa: FBT001
    yes: bool,  # noqa: FBT001
) -> None:
    """Erase one person from the index, for good.

    Lines that are read again bring nobody back.

    Sessions go whole, also if others were identified in them. Figures are made anew
    without them. What is received from now on is kept. The service may run at the same
    time; what is cut short goes on in the service, or with the next `skald erase`.

    Loki keeps its lines until its own retention ends: the requests that delete them
    there are printed at the end.

    \b
    skald erase --user u123 --dry-run
    skald erase --user jane@example.com
    """  # noqa: D301
    settings = settings_of(context)
    with closing(open_privacy_book(settings)) as book:
        trial = _do(book, settings, ERASURE, user, is_dry=True)
        known = _tell(book, trial)
        book.discard(trial.id)
        if dry_run:
            return
        if not yes:
            click.confirm("Erase this for good?", abort=True, err=True)
        done = _do(book, settings, ERASURE, user)
    click.echo(f"erased {done.sessions:,} sessions, {done.events:,} events")
    _tell_remedy(settings, known)


def _do(
    book: PrivacyBook, settings: Settings, kind: str, user: str, *, is_dry: bool = False
) -> Request:
    """Do a request, after those that were cut short before it; show how far it is."""
    owner = f"command:{secrets.token_hex(8)}"
    request = book.add(kind, user, clock.now(), is_dry=is_dry)
    label = "looking" if is_dry or kind == EXPORT else "erasing"
    with click.progressbar(length=100, label=label, file=sys.stderr) as bar:

        def advance() -> bool:
            found = book.get(kind, request.id)
            bar.update(int(100 * found.progress) - bar.pos if found else 0)
            return True

        while not (found := book.get(kind, request.id)) or not found.finished:
            if not serve_requests(book, owner, settings.bounce, advance):
                clock.sleep(1)  # the service is at it
        bar.update(100 - bar.pos)
    return found


def _tell(book: PrivacyBook, request: Request) -> list[str]:
    """Say what was found, and by what the person is known, which is returned."""
    known = book.identities(request.id)
    click.echo(f"known as {', '.join(map(repr, known))}", err=True)
    click.echo(
        f"found {request.sessions:,} sessions, {request.events:,} events", err=True
    )
    return known


def _tell_remedy(settings: Settings, known: list[str]) -> None:
    """Print what deletes the lines in Loki, which keeps its own copy."""
    click.echo("\nLoki still holds the lines. Where deletion is enabled there, run:\n")
    for source in settings.sources:
        for identity in known:
            click.echo(delete_request(source, identity, clock.now()))
    click.echo(
        "\nLines that do not say who the user was are not among these: see"
        " docs/privacy.md, which also tells how Loki must be configured."
    )


def delete_request(source: SourceSettings, identity: str, now: int) -> str:
    """Return the shell command that asks Loki to delete lines that hold *identity*."""
    text = orjson.dumps(identity).decode()
    query = shlex.quote(f"query={source.selector} |= {text}")
    tenant = source.loki.tenant
    header = f" -H {shlex.quote(f'X-Scope-OrgID: {tenant}')}" if tenant else ""
    return (
        f"curl -fsS -X POST{header} -G"
        f" {shlex.quote(f'{source.loki.url}/loki/api/v1/delete')}"
        f" --data-urlencode {query} -d start=1 -d end={now // 1000}"
    )
