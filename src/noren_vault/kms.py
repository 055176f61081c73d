"""Keys wrapped by AWS KMS: the folder holds KMS ciphertext only, `<name>.kms`, each unwrapped once at start.

A key is made by GenerateDataKey under the customer's master key; the encryption context binds its kind and
id, so one file put in another's place does not unwrap. No request of the vault's asks KMS. Credentials come
by AWS's own ways (environment, role of the machine or the container, profile).
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.session import Session

from noren_vault.providers import FileProvider, KeysError, KeysUnavailable, Kind, Stored, write

_CONFIG: Final = Config(connect_timeout=5, read_timeout=10, retries={"total_max_attempts": 3})
# What AWS answers when it cannot answer now, or not to us; anything else is about the key itself.
_FAULTS: Final = frozenset({"ThrottlingException", "KMSInternalException", "DependencyTimeoutException"})
_log = structlog.get_logger("kms")


class KmsProvider(FileProvider):
    """Keys as KMS ciphertext."""

    suffix = ".kms"

    def __init__(self, folder: Path, key: str, endpoint: str | None = None) -> None:
        """`key` is the master key's ARN, which names its region; `endpoint` replaces AWS's own URL."""
        super().__init__(folder)
        self._key = key
        self._client: Any = Session().create_client(
            "kms", region_name=key.split(":")[3], endpoint_url=endpoint, config=_CONFIG
        )

    def wrap_files(self) -> None:
        """Wrap the keys that lie here as plain files, and remove those: the way from the file provider."""
        plain = FileProvider(self.folder)
        for kind in Kind:
            for stored in plain.stored(kind):
                raw, path = plain.read(stored), self._path(stored)
                if not os.path.lexists(path):
                    answer = self._ask(
                        self._client.encrypt, Plaintext=raw, EncryptionContext=_context(stored)
                    )
                    write(path, answer["CiphertextBlob"])
                if self.read(stored) != raw:
                    raise KeysError(f"{path.name} does not unwrap to {stored.name}.key")
                plain.destroy(stored)
                _log.warning("key_wrapped", key=stored.name)

    def _fresh(self, stored: Stored) -> bytes:
        answer = self._ask(
            self._client.generate_data_key, KeySpec="AES_256", EncryptionContext=_context(stored)
        )
        return bytes(answer["CiphertextBlob"])

    def _opened(self, stored: Stored, content: bytes) -> bytes:
        answer = self._ask(self._client.decrypt, CiphertextBlob=content, EncryptionContext=_context(stored))
        return bytes(answer["Plaintext"])

    def _ask(self, what: Callable[..., dict[str, Any]], **words: Any) -> dict[str, Any]:
        try:
            return what(KeyId=self._key, **words)
        except ClientError as refusal:
            code = str(refusal.response.get("Error", {}).get("Code", "unknown"))
            status = refusal.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
            kind = KeysUnavailable if code in _FAULTS or status >= 500 else KeysError
            raise kind(f"AWS KMS refused {what.__name__}: {code}") from None
        except BotoCoreError as fault:
            raise KeysUnavailable(
                f"AWS KMS cannot be asked ({type(fault).__name__}): without it there are no keys"
            ) from None


def _context(stored: Stored) -> dict[str, str]:
    return {"noren:kind": stored.kind, "noren:id": stored.id.hex()}
