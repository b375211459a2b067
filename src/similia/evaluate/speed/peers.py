"""Other libraries' similarity search behind one face: cosine of vectors of length 1, one thread each."""

from __future__ import annotations

import numpy as np

from similia.evaluate.speed.systems import EFFORTS, Maker, System
from similia.types import Float32, Int64


def hnswlib_index(base: Float32) -> System:
    """hnswlib, M 16, efConstruction 200."""
    import hnswlib

    index = hnswlib.Index("ip", base.shape[1])
    index.init_index(max_elements=len(base), ef_construction=200, M=16, random_seed=1)
    index.set_num_threads(1)
    index.add_items(base, num_threads=1)

    def search(queries: Float32, k: int, effort: int) -> Int64:
        index.set_ef(max(effort, k))
        return np.asarray(index.knn_query(queries, k, num_threads=1)[0], np.int64)

    return System("hnswlib", search, EFFORTS, base.nbytes + len(base) * 4 * 33)


def faiss_hnsw(base: Float32) -> System:
    """HNSW of faiss on float32, M 16."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexHNSWFlat(base.shape[1], 16, faiss.METRIC_INNER_PRODUCT)
    index.hnsw.efConstruction = 200
    index.add(base)

    def search(queries: Float32, k: int, effort: int) -> Int64:
        faiss.omp_set_num_threads(1)  # it is that of the calling thread
        index.hnsw.efSearch = max(effort, k)
        return np.asarray(index.search(queries, k)[1], np.int64)

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

    def search(queries: Float32, k: int, effort: int) -> Int64:
        faiss.omp_set_num_threads(1)
        inner.hnsw.efSearch = max(effort, 2 * k)
        return np.asarray(index.search(queries, k)[1], np.int64)

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

    def search(queries: Float32, k: int, effort: int) -> Int64:
        faiss.omp_set_num_threads(1)
        inner.nprobe = effort
        index.k_factor = 8
        return np.asarray(index.search(queries, k)[1], np.int64)

    return System("faiss IVF-PQ fast scan + refine", search, (1, 2, *range(4, 40, 4), *range(40, 400, 20)), base.nbytes)


def usearch_index(base: Float32) -> System:
    """HNSW of usearch on float32."""
    from usearch.index import Index

    index = Index(ndim=base.shape[1], metric="ip", dtype="f32", connectivity=16, expansion_add=128)
    index.add(np.arange(len(base)), base, threads=1)

    def search(queries: Float32, k: int, effort: int) -> Int64:
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

    def search(queries: Float32, k: int, effort: int) -> Int64:
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

    def search(queries: Float32, k: int, effort: int) -> Int64:
        found = index.search_batched(queries, k, pre_reorder_num_neighbors=100, leaves_to_search=effort)[0]
        return np.asarray(found, np.int64)

    return System("ScaNN", search, (2, 4, *range(6, 40, 4), *range(40, 400, 20)), base.nbytes)


def lancedb_ivf(base: Float32) -> System:
    """LanceDB's own index: partitions and product quantisation on disk, ten times k refined."""
    import tempfile

    import lancedb
    import pyarrow as pa

    folder = tempfile.TemporaryDirectory()
    vectors = pa.FixedSizeListArray.from_arrays(pa.array(base.reshape(-1)), base.shape[1])
    table = lancedb.connect(folder.name).create_table("v", pa.table({"id": np.arange(len(base)), "vector": vectors}))
    table.create_index(metric="dot", num_partitions=max(1, len(base) // 4096), num_sub_vectors=base.shape[1] // 8)

    def one(query: Float32, k: int, effort: int) -> Int64:
        asked = table.search(query).distance_type("dot").nprobes(effort).refine_factor(10).select(["id", "_distance"])
        found = asked.limit(k).to_arrow()["id"].to_numpy()
        return np.pad(np.asarray(found, np.int64), (0, k - len(found)), constant_values=-1)

    def search(queries: Float32, k: int, effort: int) -> Int64:
        assert folder.name  # it is removed with the system
        return np.array([one(query, k, effort) for query in queries], np.int64)

    return System("LanceDB IVF-PQ", search, (1, 4, 10, 20, 50), base.nbytes)


def faiss_flat(base: Float32) -> System:
    """Exact search of faiss."""
    import faiss

    faiss.omp_set_num_threads(1)
    index = faiss.IndexFlatIP(base.shape[1])
    index.add(base)
    return System(
        "faiss Flat", lambda queries, k, effort: np.asarray(index.search(queries, k)[1], np.int64), (0,), base.nbytes
    )


def blas(base: Float32) -> System:
    """One matrix product for 64 queries at a time, then the k best of each row."""

    def some(queries: Float32, k: int) -> Int64:
        scores = queries @ base.T
        near = np.argpartition(scores, -k, axis=1)[:, -k:]
        order = np.argsort(-np.take_along_axis(scores, near, axis=1), axis=1)
        return np.take_along_axis(near, order, axis=1)

    def search(queries: Float32, k: int, effort: int) -> Int64:
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
    Maker("LanceDB IVF-PQ", "lancedb", lancedb_ivf),
]
EXACT = [Maker("NumPy: BLAS and argpartition", "numpy", blas), Maker("faiss Flat", "faiss", faiss_flat)]
