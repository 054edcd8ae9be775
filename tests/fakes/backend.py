"""What tests of the web shell alone put where the domain would stand."""

WITHOUT_DOMAIN = dict.fromkeys(
    (
        "zone",
        "publish_at",
        "contact",
        "access_events",
        "trail",
        "desk",
        "reading",
        "expunging",
        "exporting",
        "requester_codes",
        "held_cases",
        "holds",
        "decision_record",
        "case_reader",
        "registry",
        "logs",
        "public_logs",
    )
)
