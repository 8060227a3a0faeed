"""Which names belong to the modules that `import kobai` leaves out: module -> namespace -> names.

Written by tools/list_families.py; do not edit.
"""
FAMILIES: dict[str, dict[str, str]] = {
    "ops.window": {
    },
    "ops.unpool": {
        "m":
            "max_unpool1d max_unpool2d max_unpool3d",
        "nn.functional":
            "max_unpool1d max_unpool2d max_unpool3d",
    },
    "ops.maxpool": {
        "m":
            "max_pool1d max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d "
            "max_pool3d_with_indices",
        "nn.functional":
            "max_pool1d max_pool1d_with_indices max_pool2d max_pool2d_with_indices max_pool3d "
            "max_pool3d_with_indices",
        "torch":
            "max_pool1d max_pool1d_with_indices max_pool2d max_pool3d",
    },
    "ops.adaptive": {
        "m":
            "adaptive_max_pool1d adaptive_max_pool1d_with_indices adaptive_max_pool2d "
            "adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices "
            "fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
            "fractional_max_pool3d_with_indices",
        "nn.functional":
            "adaptive_max_pool1d adaptive_max_pool1d_with_indices adaptive_max_pool2d "
            "adaptive_max_pool2d_with_indices adaptive_max_pool3d adaptive_max_pool3d_with_indices "
            "fractional_max_pool2d fractional_max_pool2d_with_indices fractional_max_pool3d "
            "fractional_max_pool3d_with_indices",
        "torch":
            "adaptive_max_pool1d adaptive_max_pool1d_with_indices",
    },
    "ops.dropout": {
        "Tensor":
            "alpha_dropout_ dropout_ feature_alpha_dropout_ feature_dropout_",
        "m":
            "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout feature_dropout "
            "native_dropout",
        "nn.functional":
            "alpha_dropout dropout dropout1d dropout2d dropout3d feature_alpha_dropout",
        "torch":
            "alpha_dropout alpha_dropout_ dropout dropout_ feature_alpha_dropout feature_alpha_dropout_ "
            "feature_dropout feature_dropout_ native_dropout",
    },
    "ops.attention": {
        "m":
            "scaled_dot_product_attention",
        "nn.functional":
            "scaled_dot_product_attention",
    },
    "ops.avgpool": {
        "m":
            "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d",
        "nn.functional":
            "avg_pool1d avg_pool2d avg_pool3d lp_pool1d lp_pool2d lp_pool3d",
        "torch":
            "avg_pool1d",
    },
    "ops.conv": {
        "m":
            "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
        "nn.functional":
            "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
        "torch":
            "conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d",
    },
    "ops.blocks": {
        "m":
            "channel_shuffle fold pixel_shuffle pixel_unshuffle",
        "nn.functional":
            "channel_shuffle fold native_channel_shuffle pixel_shuffle pixel_unshuffle unfold",
        "torch":
            "channel_shuffle native_channel_shuffle pixel_shuffle pixel_unshuffle",
    },
    "ops.calculus": {
        "Tensor":
            "diff",
        "m":
            "cumulative_trapezoid diff gradient trapezoid",
        "torch":
            "cumulative_trapezoid diff gradient trapezoid trapz",
    },
    "ops.loss": {
        "m":
            "binary_cross_entropy binary_cross_entropy_with_logits huber_loss l1_loss mse_loss "
            "smooth_l1_loss soft_margin_loss",
        "nn.functional":
            "binary_cross_entropy binary_cross_entropy_with_logits huber_loss l1_loss mse_loss "
            "smooth_l1_loss soft_margin_loss",
    },
    "ops.class_loss": {
        "m":
            "cross_entropy nll_loss",
        "nn.functional":
            "cross_entropy nll_loss",
    },
    "ops.combine": {
        "Tensor":
            "vander",
        "m":
            "cartesian_prod combinations meshgrid vander",
        "torch":
            "cartesian_prod combinations meshgrid vander",
    },
    "ops.diagonal": {
        "Tensor":
            "diag diag_embed diagflat diagonal diagonal_scatter trace tril tril_ triu triu_",
        "m":
            "diag diag_embed diagflat diagonal diagonal_scatter trace tril triu",
        "torch":
            "diag diag_embed diagflat diagonal diagonal_scatter trace tril tril_ triu triu_",
    },
    "ops.copies": {
        "torch":
            "alias_copy as_strided_copy detach detach_ detach_copy diagonal_copy expand_copy permute_copy "
            "select_copy slice_copy split_copy split_with_sizes_copy squeeze_copy t_copy transpose_copy "
            "unbind_copy unfold_copy unsqueeze_copy view_as_complex_copy view_as_real_copy view_copy",
    },
    "ops.ctc": {
        "m":
            "ctc_loss",
        "nn.functional":
            "ctc_loss",
    },
    "ops.decompose": {
    },
    "ops.norms": {
        "Tensor":
            "dist norm renorm renorm_",
        "linalg":
            "vector_norm",
        "m":
            "cdist dist norm pdist renorm vector_norm",
        "nn.functional":
            "pdist",
        "torch":
            "cdist dist norm pdist renorm renorm_",
    },
    "ops.distance": {
        "m":
            "cosine_similarity gumbel_softmax normalize pairwise_distance",
        "nn.functional":
            "cosine_similarity gumbel_softmax normalize pairwise_distance",
        "torch":
            "cosine_similarity pairwise_distance",
    },
    "ops.order": {
        "Tensor":
            "argsort kthvalue median mode msort nanmedian sort topk",
        "m":
            "argsort kthvalue median mode msort nanmedian sort topk",
        "return_types":
            "kthvalue median mode nanmedian sort topk",
        "torch":
            "argsort kthvalue median mode msort nanmedian sort topk",
    },
    "ops.distinct": {
        "Tensor":
            "unique unique_consecutive",
        "m":
            "isin unique unique_consecutive",
        "torch":
            "isin unique unique_consecutive",
    },
    "ops.einsum": {
        "m":
            "einsum",
        "torch":
            "einsum",
    },
    "ops.embedding": {
        "m":
            "embedding embedding_bag one_hot",
        "nn.functional":
            "embedding embedding_bag one_hot",
        "torch":
            "embedding embedding_bag",
    },
    "ops.error_function": {
    },
    "ops.fft": {
        "fft":
            "fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft "
            "rfft2 rfftn",
        "m":
            "fft fft2 fftn hfft hfft2 hfftn ifft ifft2 ifftn ihfft ihfft2 ihfftn irfft irfft2 irfftn rfft "
            "rfft2 rfftn to_complex",
    },
    "ops.frequencies": {
        "fft":
            "fftfreq fftshift ifftshift rfftfreq",
        "m":
            "fftshift ifftshift",
    },
    "ops.glu": {
        "m":
            "glu",
        "nn.functional":
            "glu",
    },
    "ops.grid": {
        "m":
            "affine_grid grid_sample",
        "nn.functional":
            "affine_grid grid_sample",
    },
    "ops.histogram": {
        "Tensor":
            "bincount histc histogram",
        "m":
            "bincount histc histogram histogramdd",
        "return_types":
            "histogram histogramdd",
        "torch":
            "bincount histc histogram histogramdd",
    },
    "ops.special": {
        "Tensor":
            "digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ gammainc gammainc_ gammaincc gammaincc_ "
            "i0 i0_ igamma igamma_ igammac igammac_ lgamma lgamma_ logit logit_ mvlgamma mvlgamma_ "
            "polygamma polygamma_",
        "m":
            "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 digamma entr erf erfc erfcx erfinv gammaln i0 "
            "i0e i1 i1e igamma igammac lgamma log_ndtr logit modified_bessel_i0 modified_bessel_i1 "
            "modified_bessel_k0 modified_bessel_k1 multigammaln mvlgamma ndtr ndtri polygamma "
            "polygamma_order psi scaled_modified_bessel_k0 scaled_modified_bessel_k1 spherical_bessel_j0 "
            "to_float xlog1py zeta",
        "special":
            "airy_ai bessel_j0 bessel_j1 bessel_y0 bessel_y1 chebyshev_polynomial_t chebyshev_polynomial_u "
            "chebyshev_polynomial_v chebyshev_polynomial_w digamma entr erf erfc erfcx erfinv gammainc "
            "gammaincc gammaln hermite_polynomial_h hermite_polynomial_he i0 i0e i1 i1e igamma igammac "
            "laguerre_polynomial_l legendre_polynomial_p log_ndtr logit logit_ modified_bessel_i0 "
            "modified_bessel_i1 modified_bessel_k0 modified_bessel_k1 multigammaln ndtr ndtri polygamma "
            "psi scaled_modified_bessel_k0 scaled_modified_bessel_k1 shifted_chebyshev_polynomial_t "
            "shifted_chebyshev_polynomial_u shifted_chebyshev_polynomial_v shifted_chebyshev_polynomial_w "
            "spherical_bessel_j0 xlog1py zeta",
        "torch":
            "digamma digamma_ erf erf_ erfc erfc_ erfinv erfinv_ gammainc gammainc_ gammaincc gammaincc_ "
            "i0 i0_ igamma igamma_ igammac igammac_ lgamma lgamma_ logit logit_ mvlgamma mvlgamma_ "
            "polygamma",
    },
    "ops.implicit": {
    },
    "ops.linalg": {
        "Tensor":
            "cholesky cholesky_inverse cholesky_solve det inv inverse logdet matrix_exp matrix_power qr "
            "slogdet svd triangular_solve",
        "linalg":
            "cholesky det eig eigh eigvals eigvalsh inv inverse matrix_exp matrix_power multi_dot qr "
            "slogdet solve solve_triangular svd svdvals tensorinv tensorsolve vander vecdot",
        "m":
            "chain_matmul cholesky cholesky_inverse cholesky_solve det eig eigh eigvals eigvalsh inv "
            "logdet matrix_exp matrix_power multi_dot qr slogdet solve solve_triangular svd svdvals "
            "tensorinv tensorsolve triangular_solve vecdot",
        "torch":
            "chain_matmul cholesky cholesky_inverse cholesky_solve det inv inverse logdet matrix_exp "
            "matrix_power qr slogdet svd triangular_solve",
    },
    "ops.info": {
        "linalg":
            "cholesky_ex inv_ex solve_ex",
        "m":
            "cholesky_ex inv_ex solve_ex",
    },
    "ops.taps": {
    },
    "ops.resample": {
        "m":
            "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
        "nn.functional":
            "adaptive_avg_pool1d adaptive_avg_pool2d adaptive_avg_pool3d",
        "torch":
            "adaptive_avg_pool1d",
    },
    "ops.interpolate": {
        "m":
            "interpolate upsample upsample_bilinear upsample_nearest",
        "nn.functional":
            "interpolate upsample upsample_bilinear upsample_nearest",
    },
    "ops.lapack": {
    },
    "ops.limits": {
        "Tensor":
            "clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin maximum minimum",
        "m":
            "clamp clamp_max clamp_min clamp_tensors fmax fmin maximum minimum",
        "torch":
            "clamp clamp_ clamp_max clamp_max_ clamp_min clamp_min_ clip clip_ fmax fmin maximum minimum",
    },
    "ops.linear_loss": {
        "m":
            "linear_cross_entropy",
        "nn.functional":
            "linear_cross_entropy",
    },
    "ops.normalize": {
        "m":
            "batch_norm group_norm instance_norm layer_norm local_response_norm rms_norm",
        "nn.functional":
            "batch_norm group_norm instance_norm layer_norm local_response_norm rms_norm",
        "torch":
            "group_norm layer_norm rms_norm",
    },
    "ops.pad": {
        "m":
            "pad",
        "nn.functional":
            "pad",
    },
    "ops.lowlevel": {
        "m":
            "affine_grid_generator constant_pad_nd grid_sampler grid_sampler_2d grid_sampler_3d "
            "native_batch_norm native_group_norm native_layer_norm",
        "torch":
            "affine_grid_generator batch_norm constant_pad_nd grid_sampler grid_sampler_2d grid_sampler_3d "
            "instance_norm native_batch_norm native_group_norm native_layer_norm",
    },
    "ops.lowrank": {
        "m":
            "lobpcg pca_lowrank svd_lowrank",
        "torch":
            "lobpcg pca_lowrank svd_lowrank",
    },
    "ops.lu": {
        "Tensor":
            "lu lu_solve",
        "linalg":
            "ldl_factor ldl_factor_ex ldl_solve lu lu_factor lu_factor_ex lu_solve",
        "m":
            "ldl_factor ldl_factor_ex ldl_solve lu lu_factor lu_factor_ex lu_solve lu_unpack",
        "torch":
            "lu lu_solve lu_unpack",
    },
    "ops.margin": {
        "m":
            "arange_like cosine_embedding_loss gaussian_nll_loss hinge_embedding_loss kl_div "
            "margin_ranking_loss multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss "
            "one_hot_mask poisson_nll_loss triplet_margin_loss triplet_margin_with_distance_loss",
        "nn.functional":
            "cosine_embedding_loss gaussian_nll_loss hinge_embedding_loss kl_div margin_ranking_loss "
            "multi_margin_loss multilabel_margin_loss multilabel_soft_margin_loss poisson_nll_loss "
            "triplet_margin_loss triplet_margin_with_distance_loss",
        "torch":
            "cosine_embedding_loss hinge_embedding_loss kl_div margin_ranking_loss triplet_margin_loss",
    },
    "ops.masked": {
        "masked":
            "amax amin argmax argmin cumprod cumsum log_softmax logaddexp logsumexp mean median norm "
            "normalize prod softmax softmin std sum var",
    },
    "ops.matrix_norm": {
        "linalg":
            "cond diagonal matrix_norm norm",
        "m":
            "cond matrix_norm",
    },
    "ops.multihead": {
        "m":
            "multi_head_attention_forward",
        "nn.functional":
            "multi_head_attention_forward",
    },
    "ops.pinv": {
        "Tensor":
            "pinverse",
        "linalg":
            "lstsq matrix_rank pinv",
        "m":
            "lstsq matrix_rank pinv pinverse",
        "torch":
            "pinverse",
    },
    "ops.products": {
        "Tensor":
            "addbmm addbmm_ addmv addmv_ addr addr_ cross kron",
        "linalg":
            "cross",
        "m":
            "addbmm addmv addr bilinear cross kron tensordot",
        "nn.functional":
            "bilinear",
        "torch":
            "addbmm addbmm_ addmv addmv_ addr addr_ bilinear cross kron tensordot",
    },
    "ops.quantile": {
        "Tensor":
            "nanquantile quantile",
        "m":
            "nanquantile quantile",
        "torch":
            "nanquantile quantile",
    },
    "ops.recurrent": {
    },
    "ops.reflectors": {
        "Tensor":
            "geqrf orgqr ormqr",
        "linalg":
            "householder_product",
        "m":
            "geqrf householder_product ormqr",
        "torch":
            "geqrf orgqr ormqr",
    },
    "ops.sequence": {
    },
    "ops.rnn": {
        "m":
            "gru gru_cell lstm lstm_cell recurrent_layers rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
        "torch":
            "gru gru_cell lstm lstm_cell rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell",
    },
    "ops.scan": {
        "Tensor":
            "cummax cummin cumprod cumprod_ cumsum cumsum_ logcumsumexp prod",
        "m":
            "cummax cummin cumprod cumsum logcumsumexp prod",
        "return_types":
            "cummax cummin",
        "torch":
            "cummax cummin cumprod cumprod_ cumsum cumsum_ logcumsumexp prod",
    },
    "ops.search": {
        "m":
            "searchsorted",
        "torch":
            "bucketize searchsorted",
    },
    "ops.segment": {
        "m":
            "segment_reduce",
        "torch":
            "segment_reduce",
    },
    "ops.statistics": {
        "Tensor":
            "corrcoef cov std var",
        "m":
            "corrcoef cov std std_mean var var_mean",
        "torch":
            "corrcoef cov std std_mean var var_mean",
    },
    "ops.stft": {
        "Tensor":
            "istft stft",
        "m":
            "istft stft",
        "torch":
            "istft stft",
    },
    "ops.windows": {
        "torch":
            "bartlett_window blackman_window hamming_window hann_window kaiser_window",
    },
    "sparse": {
        "Tensor":
            "_indices _nnz _values ccol_indices coalesce col_indices crow_indices dense_dim indices "
            "is_coalesced row_indices sparse_dim sparse_mask to_dense to_sparse to_sparse_bsc "
            "to_sparse_bsr to_sparse_coo to_sparse_csc to_sparse_csr values",
        "m":
            "dense sparse_rows",
        "sparse":
            "addmm log_softmax mm sampled_addmm softmax spdiags sum",
        "torch":
            "sparse_bsc sparse_bsr sparse_coo sparse_coo_tensor sparse_csc sparse_csc_tensor sparse_csr "
            "sparse_csr_tensor",
    },
}
