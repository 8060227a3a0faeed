"""Ready-made parametrizations: weight norm, spectral norm, orthogonal matrices."""
from __future__ import annotations

from ... import cat, eye, finfo, linalg, no_grad, zeros_like
from ...diagnose import error
from ...tensor import Tensor
from .. import functional as F
from ..conv import _ConvTransposeNd
from ..module import Module
from .norm_hooks import norm_except_dim
from .parametrize import register_parametrization


# ---------------------------------------------------------------- weight norm
class _WeightNorm(Module):
    def __init__(self, dim: int | None = 0) -> None:
        super().__init__()
        self.dim = -1 if dim is None else dim

    def forward(self, weight_g: Tensor, weight_v: Tensor) -> Tensor:
        return weight_v * (weight_g / norm_except_dim(weight_v, self.dim))

    def right_inverse(self, weight: Tensor) -> tuple[Tensor, Tensor]:
        return norm_except_dim(weight, self.dim), weight


def weight_norm(module: Module, name: str = "weight", dim: int = 0) -> Module:
    """Train length (`original0`) and direction (`original1`) of a weight (Salimans and Kingma 2016).

    >>> layer = kobai.nn.utils.parametrizations.weight_norm(kobai.nn.Linear(20, 40))
    >>> layer.parametrizations.weight.original0.shape
    torch.Size([40, 1])
    """
    return register_parametrization(module, name, _WeightNorm(dim), unsafe=True)


# -------------------------------------------------------------- spectral norm
class _SpectralNorm(Module):
    """weight / σ, σ the largest singular value by the power method (Miyato et al. 2018)."""

    def __init__(self, weight: Tensor, n_power_iterations: int = 1, dim: int = 0, eps: float = 1e-12) -> None:
        super().__init__()
        if not -weight.ndim <= dim < weight.ndim:
            raise error("argument-value",
                        IndexError(f"Dimension out of range (expected to be in range of [-{weight.ndim}, "
                                   f"{weight.ndim - 1}] but got {dim})"),
                        what="dim", value=dim, low=-weight.ndim, high=weight.ndim - 1,
                        must="a whole number between {low} and {high}")
        if n_power_iterations <= 0:
            raise error("argument-value",
                        ValueError("Expected n_power_iterations to be positive, but got "
                                   f"n_power_iterations={n_power_iterations}"),
                        what="n_power_iterations", value=n_power_iterations, must="a positive whole number")
        self.dim = dim if dim >= 0 else dim + weight.ndim
        self.eps = eps
        if weight.ndim > 1:
            self.n_power_iterations = n_power_iterations
            with no_grad():
                matrix = self._matrix(weight)
                u = matrix.new_empty(matrix.shape[0]).normal_(0, 1)
                v = matrix.new_empty(matrix.shape[1]).normal_(0, 1)
                self.register_buffer("_u", F.normalize(u, dim=0, eps=eps))
                self.register_buffer("_v", F.normalize(v, dim=0, eps=eps))
                self._power_method(matrix, 15)

    def _matrix(self, weight: Tensor) -> Tensor:
        return weight.movedim(self.dim, 0).flatten(1)

    def _power_method(self, matrix: Tensor, times: int) -> None:
        with no_grad():
            for _ in range(times):
                self._u.copy_(F.normalize(matrix.mv(self._v), dim=0, eps=self.eps))
                self._v.copy_(F.normalize(matrix.t().mv(self._u), dim=0, eps=self.eps))

    def forward(self, weight: Tensor) -> Tensor:
        if weight.ndim == 1:
            return F.normalize(weight, dim=0, eps=self.eps)
        matrix = self._matrix(weight)
        if self.training:
            self._power_method(matrix, self.n_power_iterations)
        u, v = self._u.clone(), self._v.clone()         # they change at the next call
        return weight / u.vdot(matrix.mv(v))

    def right_inverse(self, value: Tensor) -> Tensor:
        return value


def spectral_norm(module: Module, name: str = "weight", n_power_iterations: int = 1, eps: float = 1e-12,
                  dim: int | None = None) -> Module:
    """Divide a weight by its largest singular value.

    >>> layer = kobai.nn.utils.parametrizations.spectral_norm(kobai.nn.Linear(20, 40))
    >>> round(kobai.linalg.matrix_norm(layer.weight, 2).item(), 1)
    1.0
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise error("name-unknown", ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'"),
                    where=type(module), what="parameter", name=name,
                    names=[n for n, _ in module.named_parameters(recurse=False)],
                    fix="its own parameters are {names}; for those of a layer inside, give that layer.")
    if dim is None:
        dim = 1 if isinstance(module, _ConvTransposeNd) else 0
    return register_parametrization(module, name, _SpectralNorm(weight, n_power_iterations, dim, eps))


# ------------------------------------------------------------------ orthogonal
_MAPS = ("matrix_exp", "cayley", "householder")


class _Orthogonal(Module):
    """A matrix with orthonormal columns (or rows, if they are fewer) from any matrix, by one of three maps.

    With `use_trivialization` the result is base @ map(x), and assigning to the weight moves the base.
    """

    def __init__(self, weight: Tensor, orthogonal_map: str, *, use_trivialization: bool = True) -> None:
        super().__init__()
        if weight.is_complex() and orthogonal_map == "householder":
            raise error("argument-choice",
                        ValueError("The householder parametrization does not support complex tensors."),
                        what="orthogonal_map", value=orthogonal_map, choices=["matrix_exp", "cayley"],
                        why="Householder reflections are here for real numbers only.")
        self.shape = weight.shape
        self.orthogonal_map = orthogonal_map
        if use_trivialization:
            self.register_buffer("base", None)

    def forward(self, x: Tensor) -> Tensor:
        wide = x.shape[-2] < x.shape[-1]
        if wide:
            x = x.mT
        q = _by_reflections(x) if self.orthogonal_map == "householder" else self._by_rotation(x)
        if hasattr(self, "base"):
            q = self.base @ q
        return q.mT if wide else q

    def _by_rotation(self, x: Tensor) -> Tensor:
        """Exponential or Cayley map of the skew-symmetric matrix that the lower triangle of `x` defines."""
        n, k = x.shape[-2:]
        x = x.tril()
        if n != k:
            x = cat([x, x.new_zeros(*x.shape[:-2], n, n - k)], -1)
        skew = x - x.mH
        if self.orthogonal_map == "matrix_exp":
            q = skew.matrix_exp()
        else:
            identity = eye(n, dtype=x.dtype, device=x.device)
            q = linalg.solve(identity - 0.5 * skew, identity + 0.5 * skew)
        return q[..., :k] if n != k else q

    def right_inverse(self, q: Tensor) -> Tensor:
        if q.shape != self.shape:
            raise error("tensor-shape",
                        ValueError(f"Expected a matrix or batch of matrices of shape {self.shape}. Got a tensor of "
                                   f"shape {q.shape}."),
                        what="q", shape=q.shape, want=self.shape)
        wide = q.shape[-2] < q.shape[-1]
        if wide:
            q = q.mT
        with no_grad():
            x = self._start_at(q) if hasattr(self, "base") else self._map_inverted(q)
        return x.mT if wide else x

    def _map_inverted(self, q: Tensor) -> Tensor:
        if self.orthogonal_map != "householder":
            raise error("not-possible",
                        NotImplementedError("It is not possible to assign to the matrix exponential or the Cayley "
                                            "parametrizations when use_trivialization=False."),
                        name=self.orthogonal_map,
                        why="without a trivialization, orthogonal_map={name!r} cannot be turned around: no x is "
                            "known for a given matrix.",
                        fix="write orthogonal(layer, use_trivialization=True), or orthogonal_map='householder'.")
        a, tau = q.geqrf()
        signs = a.diagonal(dim1=-2, dim2=-1)
        signs.sign_()
        signs.mul_(1 - 2 * (tau == 0).to(q.dtype))     # LAPACK makes no reflection where none is needed
        return a

    def _start_at(self, q: Tensor) -> Tensor:
        """Take `q`, made orthogonal, as the base; returns the matrix that every map takes to the identity."""
        n, k = q.shape[-2:]
        x = zeros_like(q)
        x.diagonal(dim1=-2, dim2=-1).fill_(-1.0)
        if n != k:
            q = _made_orthogonal(cat([q, q.new_empty(*q.shape[:-2], n, n - k).normal_()], -1))
        else:
            q = q.clone() if _is_orthogonal(q) else _made_orthogonal(q)
        self.base = q
        return x


def _by_reflections(x: Tensor) -> Tensor:
    """The product of the Householder reflections in the columns of `x`; the diagonal of `x` holds signs."""
    vectors = x.tril(-1)
    tau = 2.0 / (1.0 + (vectors * vectors).sum(-2))
    signs = x.detach().diagonal(dim1=-2, dim2=-1).int()
    return linalg.householder_product(vectors, tau) * signs.unsqueeze(-2)


def _made_orthogonal(a: Tensor) -> Tensor:
    """The orthogonal factor of a = q r with a positive diagonal of r."""
    q, r = linalg.qr(a)
    return q * r.diagonal(dim1=-2, dim2=-1).sgn().unsqueeze(-2)


def _is_orthogonal(q: Tensor) -> bool:
    n, k = q.shape[-2:]
    identity = eye(k, dtype=q.dtype, device=q.device)
    tolerance = 10.0 * n * finfo(q.dtype).eps
    return bool(((q.mH @ q - identity).abs() <= tolerance).all())


def orthogonal(module: Module, name: str = "weight", orthogonal_map: str | None = None, *,
               use_trivialization: bool = True) -> Module:
    """Keep a weight orthogonal while its unconstrained original is trained.

    Args:
        orthogonal_map: "matrix_exp" (default for square matrices), "cayley" or "householder".
        use_trivialization: multiply by a fixed orthogonal matrix, near which the map is well-behaved.

    >>> layer = kobai.nn.utils.parametrizations.orthogonal(kobai.nn.Linear(3, 3))
    >>> kobai.allclose(layer.weight @ layer.weight.T, kobai.eye(3), atol=1e-5)
    True
    """
    weight = getattr(module, name, None)
    if not isinstance(weight, Tensor):
        raise error("name-unknown", ValueError(f"Module '{module}' has no parameter or buffer with name '{name}'"),
                    where=type(module), what="parameter", name=name,
                    names=[n for n, _ in module.named_parameters(recurse=False)],
                    fix="its own parameters are {names}; for those of a layer inside, give that layer.")
    if weight.ndim < 2:
        raise error("tensor-dims",
                    ValueError(f"Expected a matrix or batch of matrices. Got a tensor of {weight.ndim} dimensions."),
                    what=name, shape=weight.shape, need="at least {n}", n=2,
                    fix="only matrices can be orthogonal: name a weight, not a bias.")
    if orthogonal_map is None:
        square = weight.shape[-2] == weight.shape[-1]
        orthogonal_map = "matrix_exp" if square or weight.is_complex() else "householder"
    if orthogonal_map not in _MAPS:
        raise error("argument-choice",
                    ValueError('orthogonal_map has to be one of "matrix_exp", "cayley", "householder". '
                               f"Got: {orthogonal_map}"),
                    what="orthogonal_map", value=orthogonal_map, choices=list(_MAPS))
    return register_parametrization(module, name, _Orthogonal(
        weight, orthogonal_map, use_trivialization=use_trivialization), unsafe=True)
