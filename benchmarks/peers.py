"""Other libraries' similarity search behind one face, for `benchmarks.engine`; one thread each."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float32 = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
Search = Callable[[Float32, int, int], Ids]
EFFORTS = (10, 12, 16, 20, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256, 320, 400, 512, 640, 800, 1024, 1400, 2000)


@dataclass(frozen=True)
class System:
    """An index that was built: ``search(queries, k, effort)`` gives ids (q, k); ``efforts`` in rising order of cost."""

    name: str
    search: Search
    efforts: Sequence[int]
    memory: int  # bytes that a search touches: codes, graph, and vectors that are held in memory


@dataclass(frozen=True)
class Maker:
    """How to build a system; ``needs`` is the module that it takes."""

    name: str
    needs: str
    make: Callable[[Float32], System]

    @property
    def there(self) -> bool:
        """Whether what it needs is installed."""
        return importlib.util.find_spec(self.needs) is not None


def hnswlib_index(base: Float32) -> System:
    """hnswlib, M 16, efConstruction 200."""
    import hnswlib

    index = hnswlib.Index("ip", base.shape[1])
    index.init_index(max_elements=len(base), ef_construction=200, M=16, random_seed=1)
    index.set_num_threads(1)
    index.add_items(base, num_threads=1)

    def search(queries: Float32, k: int, effort: int) -> Ids:
        index.set_ef(max(effort, k))
        return index.knn_query(queries, k, num_threads=1)[0].astype(np.int64)

    return System("hnswlib", search, EFFORTS, base.nbytes + len(base) * 4 * 33)


def faiss_hnsw(base: Float32) -> System:
    """HNSW of faiss on float32, M 16."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(base.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(base)

    def search(queries: Float32, k: int, effort: int) -> Ids:
        index.hnsw.efSearch = max(effort, k)
        return index.search(queries, k)[1]

    return System("faiss HNSW", search, EFFORTS, base.nbytes + len(base) * 4 * 33)


def faiss_hnsw_sq8(base: Float32) -> System:
    """HNSW of faiss on 8-bit codes, twice k refined by float32."""
    import faiss

    faiss.omp_set_num_threads(1)
    inner = faiss.IndexHNSWSQ(base.shape[1], faiss.ScalarQuantizer.QT_8bit, 16, faiss.METRIC_INNER_PRODUCT)
    inner.hnsw.efConstruction = 200
    index = faiss.IndexRefineFlat(inner)
    index.train(base)
    index.add(base)
    index.k_factor = 2

    def search(queries: Float32, k: int, effort: int) -> Ids:
        inner.hnsw.efSearch = max(effort, 2 * k)
        return index.search(queries, k)[1]

    return System("faiss HNSW-SQ8 + refine", search, EFFORTS, base.nbytes * 5 // 4 + len(base) * 4 * 33)


def faiss_ivfpq(base: Float32) -> System:
    """IVF of faiss with 4-bit product quantisation, fast scan, refined by float32."""
    import faiss

    faiss.omp_set_num_threads(1)
    dimension = base.shape[1]
    index = faiss.index_factory(dimension, f"IVF1024,PQ{dimension // 2}x4fs,RFlat", faiss.METRIC_INNER_PRODUCT)
    index.train(base[:100_000])
    index.add(base)
    inner = faiss.downcast_index(index.base_index)

    def search(queries: Float32, k: int, effort: int) -> Ids:
        inner.nprobe = effort
        index.k_factor = 8
        return index.search(queries, k)[1]

    return System("faiss IVF-PQ fast scan + refine", search, (1, 2, *range(4, 40, 4), *range(40, 400, 20)), base.nbytes)


def usearch_index(base: Float32) -> System:
    """HNSW of usearch on float32."""
    from usearch.index import Index

    index = Index(ndim=base.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=128)
    index.add(np.arange(len(base)), base, threads=1)

    def search(queries: Float32, k: int, effort: int) -> Ids:
        index.expansion_search = max(effort, k)
        return np.asarray(index.search(queries, k, threads=1).keys, np.int64)

    return System("usearch float32", search, EFFORTS, base.nbytes + len(base) * 4 * 33)


def svs_vamana(base: Float32) -> System:
    """SVS Vamana on float32, 32 neighbours."""
    import svs

    parameters = svs.VamanaBuildParameters(
        alpha=0.95, graph_max_degree=32, window_size=128, max_candidate_pool_size=256, prune_to=32
    )
    index = svs.Vamana.build(parameters, base, svs.DistanceType.MIP, num_threads=1)
    index.num_threads = 1

    def search(queries: Float32, k: int, effort: int) -> Ids:
        index.search_window_size = max(effort, k)
        return np.asarray(index.search(queries, k)[0], np.int64)

    return System("SVS Vamana float32", search, EFFORTS, base.nbytes + len(base) * 4 * 33)


def scann_tree(base: Float32) -> System:
    """ScaNN: tree, anisotropic hashing, 100 reordered."""
    from scann import scann_ops_pybind

    index = (
        scann_ops_pybind.builder(base, 10, "dot_product")
        .tree(num_leaves=1000, num_leaves_to_search=50, training_sample_size=100_000)
        .score_ah(2, anisotropic_quantization_threshold=0.2)
        .reorder(100)
        .build()
    )

    def search(queries: Float32, k: int, effort: int) -> Ids:
        found = index.search_batched(queries, k, pre_reorder_num_neighbors=100, leaves_to_search=effort)[0]
        return np.asarray(found, np.int64)

    return System("ScaNN", search, (2, 4, *range(6, 40, 4), *range(40, 400, 20)), base.nbytes)


def faiss_flat(base: Float32) -> System:
    """Exact search of faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    return System("faiss Flat", lambda queries, k, effort: index.search(queries, k)[1], (0,), base.nbytes)


def blas(base: Float32) -> System:
    """One matrix product for 64 queries at a time, then the k best of each row."""

    def some(queries: Float32, k: int) -> Ids:
        scores = queries @ base.T
        near = np.argpartition(scores, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1)
        return np.take_along_axis(near, order, axis=1)

    def search(queries: Float32, k: int, effort: int) -> Ids:
        return np.concatenate([some(queries[start : start + 64], k) for start in range(0, len(queries), 64)])

    return System("NumPy: BLAS and argpartition", search, (0,), base.nbytes)


GRAPHS = [
    Maker("hnswlib", "hnswlib", hnswlib_index),
    Maker("faiss HNSW", "faiss", faiss_hnsw),
    Maker("faiss HNSW-SQ8 + refine", "faiss", faiss_hnsw_sq8),
    Maker("faiss IVF-PQ fast scan + refine", "faiss", faiss_ivfpq),
    Maker("usearch float32", "usearch", usearch_index),
    Maker("SVS Vamana float32", "svs", svs_vamana),
    Maker("ScaNN", "scann", scann_tree),
]
EXACT = [Maker("NumPy: BLAS and argpartition", "numpy", blas), Maker("faiss Flat", "faiss", faiss_flat)]
