"""What the control-plane client of a gateway says no to, each with a sentence that says what to do."""


class SnapshotRefusedError(Exception):
    """A routing snapshot that must not replace the one that serves. `code` is stable and counted by."""

    def __init__(self, code: str, sentence: str) -> None:
        self.code, self.sentence = code, sentence
        super().__init__(f"{code}: {sentence}")


class UnusableTrustError(ValueError):
    """A trust file with which no snapshot could ever be verified; the gateway does not start with it."""


class ControlPlaneError(Exception):
    """The control plane did not do what it was asked; `status` is 0 where it did not answer at all."""

    def __init__(self, status: int, sentence: str) -> None:
        self.status, self.sentence = status, sentence
        super().__init__(sentence)
