"""The bytes that are hashed are those of an RFC 8785 library, for every document that a record can be."""

from __future__ import annotations

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from verify_service.signing import canonical_bytes

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
NAMES = st.text(st.characters(min_codepoint=0, max_codepoint=127))
SCALARS = st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | TEXT
DOCUMENTS = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(NAMES, inner), max_leaves=30)


@given(DOCUMENTS)
def test_the_encoder_writes_what_the_library_writes(document):
    assert canonical_bytes(document) == rfc8785.dumps(document)


def test_what_has_no_canonical_form_is_refused():
    with pytest.raises(ValueError, match="surrogates"):
        canonical_bytes("\ud800")
    with pytest.raises(ValueError, match="53-bit"):
        canonical_bytes(2**53)
