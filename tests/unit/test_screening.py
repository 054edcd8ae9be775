"""Free text that says what is never kept is refused with the reason, and ordinary notes pass."""

import pytest

from verify_service.verification.screening import screened

REFUSED = {
    "an immigration or citizenship status": [
        "He says he is undocumented",
        "two illegal aliens",
        "has a green card",
        "is a US citizen",
        "Citizenship not shown",
        "asked about immigration status",
        "dice que es ciudadana",
        "INDOCUMENTADO",
        "born in Jalisco",
        "nació... nacida en Puebla",
    ],
    "an A-number": ["A123456789", "a# 12345678", "A 123-456-789", "A-012345678"],
    "a social security number": [
        "123-45-6789",
        "123 45 6789",
        "SSN given",
        "\uff11\uff12\uff13-45-6789",
        "123\u201145\u20116789",
    ],
    "a telephone number": [
        "call 213-555-0123",
        "(213) 555-0123",
        "+1 213 555 0123",
        "2135550123",
        "555-0123",
        "213.555.0123",
        "213\n555 0123",
    ],
    "an e-mail address": ["mail agent.smith@example.gov"],
    "a street address": [
        "lives at 1200 Wilshire Blvd",
        "633 W 5th St",
        "633 w. fifth street",
        "12 Calle Olvera Street",
        "Apt 4",
        "100 N Main Street",
    ],
}
PASSED = [
    "2 agents on Main Street",
    "3 men at Fourth Street got out of a grey van",
    "Grey Ford, no plates, 4 agents, one with a vest that reads POLICE",
    "Agent said the number twice, 12345, then 12354",
    "Video at 21:04:05, incident 261124001234",
    "He would not show it. Asked three times at 21:02, 21:04 and 21:05.",
    "Supervisor on the way, 10 minutes",
    "Illegal parking on the north side",
    "Vehicle 7ABC123",
    "agents drove 2 blocks to the next street",
    "Unit 12 and unit #4 on scene",
    "room 12 at the station",
    "",
]


@pytest.mark.parametrize(("what", "text"), [(what, text) for what, texts in REFUSED.items() for text in texts])
def test_what_is_never_kept_is_refused_with_the_reason(what, text):
    with pytest.raises(ValueError, match="never kept") as refused:
        screened(text)
    assert f"looks like {what}," in str(refused.value)
    assert text not in str(refused.value)


@pytest.mark.parametrize("text", PASSED)
def test_an_ordinary_note_is_taken_as_it_is(text):
    assert screened(text) == text
