"""Name every way a request, a start or a check can fail; the text of each says what to do next."""

from __future__ import annotations

from typing import ClassVar


class ServiceError(Exception):
    """Carry a stable ``code`` for machines and a sentence for the person who has to act on it.

    ``detail`` is for who asked; ``diagnosis`` is for who operates the service, and may name its files and hosts.
    """

    code: ClassVar[str] = "service_error"
    title: ClassVar[str] = "The service could not do this"

    def __init__(self, detail: str, diagnosis: str | None = None) -> None:
        super().__init__(diagnosis or detail)
        self.detail = detail
        self.diagnosis = diagnosis or detail


# What the caller sent.


class MalformedRequest(ServiceError):
    """The bytes are not the JSON document that the operation takes."""

    code = "malformed_request"
    title = "The request cannot be read"


class InvalidRequest(ServiceError):
    """The document can be read, but some of its fields cannot be accepted.

    ``faults`` maps a JSON Pointer (RFC 6901) to the sentences about that place.
    """

    code = "invalid_request"
    title = "Some fields cannot be accepted"

    def __init__(self, faults: dict[str, list[str]]) -> None:
        super().__init__(" ".join(sentence for sentences in faults.values() for sentence in sentences))
        self.faults = faults

    @classmethod
    def at(cls, pointer: str, sentence: str) -> InvalidRequest:
        """Refuse one place of the document."""
        return cls({pointer: [sentence]})

    def under(self, pointer: str) -> InvalidRequest:
        """Return the same faults of a document that stands at a place of another."""
        return InvalidRequest({pointer + place: sentences for place, sentences in self.faults.items()})


class IdempotencyKeyMissing(ServiceError):
    """A request that records came without the header that makes a retry safe."""

    code = "idempotency_key_missing"
    title = "An Idempotency-Key header is needed"


class IdempotencyKeyReused(ServiceError):
    """The same key came with another body."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


class PreconditionFailed(ServiceError):
    """What the caller saw is no longer what stands."""

    code = "precondition_failed"
    title = "This has changed since you read it"


# Who asks.


class NotAuthenticated(ServiceError):
    """No token, or one that cannot be accepted; ``error`` is the code of RFC 6750, 9449 or 9470, or None.

    ``challenge`` says what would do: the ``nonce`` of the next DPoP proof, or ``acr_values`` and ``max_age``.
    """

    code = "not_authenticated"
    title = "A valid access token is needed"

    def __init__(self, detail: str, error: str | None = "invalid_token", **challenge: str) -> None:
        super().__init__(detail)
        self.error = error
        self.challenge = challenge

    @classmethod
    def proof_spent(cls) -> NotAuthenticated:
        """Refuse a proof of possession that came before."""
        return cls("The DPoP proof served for another request already: make one for each.", "invalid_dpop_proof")


class NotAllowed(ServiceError):
    """The caller is known, but this is not theirs to do."""

    code = "not_allowed"
    title = "Your role does not allow this"


class NotFound(ServiceError):
    """There is no such thing, or it is not this caller's: the two read the same."""

    code = "not_found"
    title = "There is no such thing here"


class Expunged(ServiceError):
    """It was destroyed by an order; the log keeps its commitment."""

    code = "expunged"
    title = "This was expunged by order"


# What the service cannot do now. Nothing was recorded unless the text says otherwise.


class Unavailable(ServiceError):
    """The service cannot answer now; the same request with the same key may be sent again."""

    code = "unavailable"
    title = "The service cannot answer now"


class Overloaded(Unavailable):
    """More requests wait than the log can take in time."""

    code = "overloaded"
    title = "The service is too busy"


class StorageUnavailable(Unavailable):
    """The database does not answer."""

    code = "storage_unavailable"
    title = "The database does not answer"


class StorageFull(Unavailable):
    """The database has no room."""

    code = "storage_full"
    title = "The database has no room left"


class OutcomeUnknown(Unavailable):
    """The commit was not acknowledged, so the record may stand or not; a retry with the same key tells."""

    code = "outcome_unknown"
    title = "It is not known whether this was recorded"


class LogRefused(Unavailable):
    """The log is behind or beside what was already promised, so nothing may be added to it."""

    code = "log_refused"
    title = "The record log must not be continued"

    def __init__(self, diagnosis: str) -> None:
        super().__init__("The operator has to mend this first; the service's diagnostics say what it is.", diagnosis)


# What keeps a command from starting or finishing.


class ConfigurationError(ServiceError):
    """A setting, file or port that is needed is missing, default, contradictory or taken."""

    code = "configuration"
    title = "The service cannot run as it is set up"


class DatabaseVersionMismatch(ConfigurationError):
    """The database belongs to another release."""

    code = "database_version"
    title = "The database is of another version"


class RegistryRefused(ServiceError):
    """A registry, or one agency's part of it, cannot be trusted as it stands."""

    code = "registry_refused"
    title = "The registry cannot be accepted"


# What a checker finds. Each fault has an exit code of its own, so that a script can tell them apart.


class EvidenceFault(ServiceError):
    """A piece of evidence does not prove what it should."""

    code = "evidence_fault"
    title = "This does not prove the record"
    exit_code: ClassVar[int] = 1


class ReceiptMalformed(EvidenceFault):
    """The receipt is not a well-formed C2SP tlog-proof."""

    code = "receipt_malformed"
    exit_code = 10


class LogNotTrusted(EvidenceFault):
    """The receipt's log is not named in the policy."""

    code = "log_not_trusted"
    exit_code = 11


class SignatureInvalid(EvidenceFault):
    """A known key's signature does not verify, or none is there."""

    code = "signature_invalid"
    exit_code = 12


class RecordNotInLog(EvidenceFault):
    """The record's bytes are not what the log committed to."""

    code = "record_not_in_log"
    exit_code = 13


class QuorumMissing(EvidenceFault):
    """Too few of the policy's witnesses have cosigned."""

    code = "quorum_missing"
    exit_code = 14


class PolicyMalformed(EvidenceFault):
    """The policy file is not a well-formed C2SP tlog-policy."""

    code = "policy_malformed"
    exit_code = 15


class LogInconsistent(EvidenceFault):
    """Two states of one log cannot both be true."""

    code = "log_inconsistent"
    exit_code = 16


class LogIncomplete(EvidenceFault):
    """A file that a log has to serve is not there, or is none of its kind."""

    code = "log_incomplete"
    exit_code = 17


class LogAltered(EvidenceFault):
    """What a log serves is not the tree that it signed."""

    code = "log_altered"
    exit_code = 18


class RegistryEvidenceMissing(EvidenceFault):
    """The registry's signed bytes that a record quotes are not all kept, or are no longer what they were."""

    code = "registry_evidence_missing"
    title = "The signed registry behind this record is not whole"
