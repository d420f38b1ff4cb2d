"""Matrix products by BLAS's address: numpy's library and scipy's, both number types."""

import numpy as np
import pytest

from pycog_dgr.kernels import blas

ROUNDING = {"float32": 1e-6, "float64": 1e-14}  # relative to the largest entry


@pytest.mark.parametrize("dtype", sorted(blas.LETTER))
@pytest.mark.parametrize("transpose", [False, True])
@pytest.mark.parametrize("shape", [(5, 7, 3), (1, 4, 1), (6, 1, 2)])
def test_a_product_is_numpys(dtype, transpose, shape):
    rows, inner, columns = shape
    rng = np.random.default_rng(0)
    A = rng.normal(size=(rows, inner)).astype(dtype)
    B = rng.normal(size=(columns, inner) if transpose else (inner, columns)).astype(dtype)
    expected = A @ (B.T if transpose else B)
    for address in (
        blas.gemm_address(dtype),
        blas.address_in_scipy(f"{blas.LETTER[dtype]}gemm"),
    ):
        C = np.full((rows, columns), np.nan, dtype)
        blas.product(address, A, B, transpose, C, blas.workspace(C))
        np.testing.assert_allclose(C, expected, rtol=0, atol=ROUNDING[dtype] * abs(expected).max())


def test_scipys_blas_serves_where_numpys_is_not_found(monkeypatch):
    monkeypatch.setattr(blas, "threadpool_info", lambda: [])
    found = blas.gemm_address.__wrapped__("float32")
    assert found == blas.address_in_scipy("sgemm")
