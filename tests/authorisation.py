"""Write docs/authorisation.md from the table of access and the addresses served: `python -m tests.authorisation`."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from verify_service.access.policy import RULES, either
from verify_service.access.reach import ROLES
from verify_service.web.app import create_app
from verify_service.web.backend import Backend

PAGE = Path(__file__).parents[1] / "docs/authorisation.md"
HEAD = """# Who may do what

`python -m tests.authorisation` writes this page from the table of access (`verify_service/access/policy.py` and
`reach.py`) and from the addresses that are served; a test compares, and another asks every address with every method as
every role. What is not in the table is nobody's: an address without a rule keeps the service from starting.

A request passes these gates, in this order:

| gate | refused with |
|---|---|
| the token is good, and for this department | 401; 403 for a department or role that is not served here |
| its role is in the operation's row | 403 |
| it carries the row's scope | 403 |
| its sign-in is recent and strong enough, where the operation asks for that ([ADR 15](adr/0015-identity.md)) | 401 |
| the object is within the role's reach | 404, word for word as for one that does not exist |

Whatever is refused to a known caller is an event in the department's access log ([ADR 16](adr/0016-access-events.md)).

## Operations

| operation | address | roles | scope | about |
|---|---|---|---|---|
"""
REACH = """
Of `addVerificationEvent` the kind of the event decides the scope: what a supervisor decides, seals, holds, releases or
answers needs the role `supervisor` and `case:decide`; everything else needs `verify:submit`. `addIncidentEvent` of the
kind `officer_assigned` reaches one incident more: whoever names an incident by its number puts themself on it, which is
an event on the incident.

## Reach

Always within the caller's own department; a dash is out of reach. What a supervisor sealed is out of the reach of
officers and dispatchers too. A supervisor whose token names no command reaches nothing.

"""


def declared(app):
    """Return (operation, methods, address) of every address that an app serves, pages and files too."""
    served = {}
    for rule in app.url_map.iter_rules():
        operation = rule.endpoint.partition(".")[2] or rule.endpoint
        address = re.sub(r"<(?:[^<>]*:)?(\w+)>", r"{\1}", rule.rule)
        served[operation] = (sorted(rule.methods - {"HEAD", "OPTIONS"}), address)
    return served


def page(app):
    """Return the page's text."""
    return HEAD + "".join(_operations(app)) + REACH + "".join(_reaches())


def _operations(app):
    addresses = declared(app)
    for operation, rule in RULES.items():
        methods, address = addresses[operation]
        if rule.public:
            roles, scope, about = "public", "", ""
        else:
            roles = "any role" if rule.roles == set(ROLES) else either(rule.roles)
            scope, about = f"`{rule.scope}`" if rule.scope else "", rule.of.name
        yield f"| `{operation}` | `{' '.join(methods)} {address}` | {roles} | {scope} | {about} |\n"


def _reaches():
    kinds = {rule.of.name: rule.of for rule in RULES.values() if rule.of is not None}
    yield f"| about | {' | '.join(ROLES)} |\n|---{'|---' * len(ROLES)}|\n"
    for kind in kinds.values():
        cells = [kind.reach[role].value if role in kind.reach else "-" for role in ROLES]
        yield f"| {kind.name} | {' | '.join(cells)} |\n"


def unconnected():
    """Return the app with its addresses and nothing behind them."""
    return create_app(Backend(**dict.fromkeys(field.name for field in fields(Backend))))


if __name__ == "__main__":
    PAGE.write_text(page(unconnected()), "utf-8")
