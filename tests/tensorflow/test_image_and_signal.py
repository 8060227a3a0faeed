"""tf.image and tf.signal. Expected: dtype, shape, some elements and the sum of all, by TensorFlow 2.21 on the CPU."""
import numpy as np
import pytest

import kobai.compat.tensorflow as tf

_r = np.random.RandomState(0)
X = tf.constant(_r.uniform(size=(5, 6, 3)).astype("f"))
S = tf.constant(_r.randn(16).astype("f"))
IMAGE = [
    ("resize(X, (8, 6))", "float32", (8, 6, 3), [0.54881, 0.67365, 0.95465, 0.47342, 0.36309], 69.598),
    ("resize(X, (2, 3), method='nearest')",
     "float32", (2, 3, 3), [0.79916, 0.94467, 0.56843, 0.25329, 0.13818], 8.3359),
    ("resize(X, (7, 3), method='bicubic')",
     "float32", (7, 3, 3), [0.53729, 0.45842, 0.38022, 0.30824, 0.17496], 30.595),
    ("resize(X, (2, 3), method='bicubic', antialias=True)",
     "float32", (2, 3, 3), [0.62986, 0.52582, 0.4129, 0.42006, 0.3701], 8.6163),
    ("resize(X, (3, 2), method='area')", "float32", (3, 2, 3), [0.53234, 0.44474, 0.55276, 0.4738, 0.34524], 8.7065),
    ("resize(X[None], (3, 2), antialias=True)",
     "float32", (1, 3, 2, 3), [0.56015, 0.43118, 0.55855, 0.46346, 0.30735], 8.5256),
    ("resize(X, (8, 6), preserve_aspect_ratio=True)",
     "float32", (5, 6, 3), [0.54881, 0.77816, 0.6121, 0.20888, 0.97676], 43.532),
    ("resize(X, (6, 2), method='lanczos3')",
     "float32", (6, 2, 3), [0.53063, 0.46476, 0.60563, 0.55681, 0.12583], 16.716),
    ("resize(X, (3, 7), method='mitchellcubic', antialias=True)",
     "float32", (3, 7, 3), [0.65703, 0.57948, 0.60137, 0.41354, 0.202], 30.431),
    ("resize(X, (3, 3), method='gaussian')",
     "float32", (3, 3, 3), [0.62888, 0.58776, 0.48855, 0.3899, 0.43619], 13.107),
    ("resize_with_pad(X, 7, 9)", "float32", (7, 9, 3), [0.54881, 0.73406, 0.48183, 0.35636, 0.13659], 81.469),
    ("resize_with_crop_or_pad(X, 3, 8)", "float32", (3, 8, 3), [0.0, 0.41466, 0.61693, 0.4386, 0.24443], 25.928),
    ("resize_with_crop_or_pad(X, 7, 2)", "float32", (7, 2, 3), [0.0, 0.96366, 0.52185, 0.15897, 0.31798], 12.747),
    ("central_crop(X, 0.5)", "float32", (3, 4, 3), [0.79916, 0.52185, 0.43703, 0.31543, 0.11038], 15.83),
    ("crop_to_bounding_box(X, 1, 0, 2, 3)",
     "float32", (2, 3, 3), [0.77816, 0.79916, 0.11827, 0.6121, 0.68182], 10.645),
    ("pad_to_bounding_box(X, 1, 2, 7, 9)", "float32", (7, 9, 3), [0.0, 0.42365, 0.45615, 0.0, 0.11873], 43.532),
    ("flip_left_right(X)", "float32", (5, 6, 3), [0.087129, 0.56843, 0.4386, 0.096098, 0.093941], 43.532),
    ("flip_up_down(X)", "float32", (5, 6, 3), [0.97676, 0.20888, 0.6121, 0.77816, 0.54881], 43.532),
    ("rot90(X, 3)", "float32", (6, 5, 3), [0.97676, 0.25329, 0.69763, 0.94467, 0.56804], 43.532),
    ("transpose(X)", "float32", (6, 5, 3), [0.54881, 0.79916, 0.69763, 0.13818, 0.5666], 43.532),
    ("extract_patches(X[None], [1, 2, 2, 1], [1, 2, 1, 1], [1, 2, 2, 1], 'SAME')",
     "float32", (1, 3, 6, 12), [0.0, 0.63992, 0.97862, 0.096098, 0.19658], 55.465),
    ("extract_patches(X[None], [1, 3, 2, 1], [1, 1, 2, 1], [1, 1, 1, 1], 'VALID')",
     "float32", (1, 3, 3, 18), [0.54881, 0.66677, 0.35951, 0.31543, 0.66677], 78.325),
    ("crop_and_resize(X[None], [[0., .1, .7, .9], [.2, .2, 1.2, .8]], [0, 0], (3, 2))",
     "float32", (2, 3, 2, 3), [0.54685, 0.59474, 0.49709, 0.32525, 0.15042], 15.432),
    ("crop_and_resize(X[None], [[0., .1, .7, .9]], [0], (2, 3), method='nearest')",
     "float32", (1, 2, 3, 3), [0.54488, 0.38344, 0.087129, 0.25329, 0.13818], 7.4672),
    ("non_max_suppression([[0., 0, 1, 1], [0, 0, .9, .9], [2, 2, 3, 3]], [.9, .8, .95], 3, 0.5)",
     "int32", (2,), [2.0, 0.0], 2.0),
    ("convert_image_dtype(X, tf.uint8)", "uint8", (5, 6, 3), [140.0, 198.0, 156.0, 53.0, 249.0], 11080.0),
    ("convert_image_dtype(tf.constant([0, 128, 255], tf.uint8), tf.float32)",
     "float32", (3,), [0.0, 0.50196, 1.0], 1.502),
    ("convert_image_dtype(tf.constant([0, 128, 255], tf.uint8), tf.uint16)",
     "uint16", (3,), [0.0, 32768.0, 65280.0], 98048.0),
    ("rgb_to_grayscale(X)", "float32", (5, 6, 1), [0.65257, 0.85485, 0.65268, 0.23158, 0.73127], 13.883),
    ("grayscale_to_rgb(X[..., :1])", "float32", (5, 6, 3), [0.54881, 0.77816, 0.6121, 0.20888, 0.97676], 40.568),
    ("adjust_brightness(X, 0.1)", "float32", (5, 6, 3), [0.64881, 0.87816, 0.7121, 0.30888, 1.0768], 52.532),
    ("adjust_brightness(tf.cast(X * 255, tf.uint8), 0.3)",
     "uint8", (5, 6, 3), [215.0, 255.0, 232.0, 129.0, 255.0], 17010.0),
    ("adjust_contrast(X, 2.0)", "float32", (5, 6, 3), [0.64687, 1.1056, 0.77344, -0.033002, 1.5028], 43.532),
    ("adjust_saturation(X, 0.5)", "float32", (5, 6, 3), [0.632, 0.87839, 0.77792, 0.43099, 0.97676], 54.625),
    ("adjust_hue(X, 0.3)", "float32", (5, 6, 3), [0.56949, 0.97862, 0.94375, 0.65311, 0.81365], 43.421),
    ("adjust_gamma(X, 2.0, 0.5)", "float32", (5, 6, 3), [0.1506, 0.30276, 0.18733, 0.021815, 0.47703], 14.219),
    ("per_image_standardization(X)", "float32", (5, 6, 3), [0.22737, 1.0281, 0.44832, -0.95954, 1.7216], 7.1041e-06),
    ("rgb_to_hsv(X)", "float32", (5, 6, 3), [0.38738, 0.5903, 0.66424, 0.68279, 0.93976], 58.919),
    ("hsv_to_rgb(X)", "float32", (5, 6, 3), [0.17167, 0.69675, 0.36152, 0.62643, 0.73926], 38.645),
    ("rgb_to_yuv(X)", "float32", (5, 6, 3), [0.65263, 0.85493, 0.65274, 0.2316, 0.73137], 14.823),
    ("yuv_to_rgb(X)", "float32", (5, 6, 3), [1.2359, 1.8937, 1.6879, 0.95334, 1.8194], 71.986),
    ("total_variation(X[None])", "float32", (1,), [45.018], 45.018),
    ("psnr(X, X * 0.9, max_val=1.0)", "float32", (), [25.003], 25.003),
    ("sobel_edges(X[None])", "float32", (1, 5, 6, 3, 2), [0.0, 0.40044, -2.2303, -0.55593, 0.0], -33.576),
    ("image_gradients(X[None])[1]",
     "float32", (1, 5, 6, 3), [-0.0039303, 0.021002, 0.069725, 0.044415, -0.93757], -3.1963),
    ("ssim(tf.tile(X, (3, 3, 1)), tf.tile(X, (3, 3, 1)) * 0.8, 1.0)", "float32", (), [0.95199], 0.95199),
]
SIGNAL = [
    ("fft(tf.cast(S, tf.complex64))",
     "complex64", (16,), [(0.96516+0j), (-2.6851-0.1267j), (-0.95875+2.6512j), (4.2319+1.231j), (-1.1435+3.3279j)], (18.23-1.1921e-07j)),
    ("ifft(tf.cast(S, tf.complex64))",
     "complex64", (16,), [(0.060323+0j), (-0.16782+0.0079185j), (-0.059922-0.1657j), (0.2645-0.076936j), (-0.07147-0.20799j)], (1.1394+7.4506e-09j)),
    ("rfft(S)",
     "complex64", (9,), [(0.96516+0j), (2.3953+5.6843j), (-0.32765+2.6497j), (-2.6851-0.1267j), (-1.1435-3.3279j)], (11.442+8.6939j)),
    ("rfft(S, [20])",
     "complex64", (11,), [(0.96516+0j), (0.68624-2.2104j), (-1.3449+2.9641j), (3.379+5.3779j), (2.978+4.3302j)], (13.721+10.091j)),
    ("irfft(rfft(S))", "float32", (16,), [1.1394, -0.68481, -0.31155, 0.90083, 1.4883], 0.96516),
    ("fft2d(tf.cast(tf.reshape(S, (4, 4)), tf.complex64))",
     "complex64", (4, 4), [(0.96516+0j), (-1.1435+3.3279j), (3.5254+1.6107j), (-0.64398-0.44626j), (0.95701-6.088j)], (18.23+0j)),
    ("rfft2d(tf.reshape(S, (4, 4)))",
     "complex64", (4, 3), [(0.96516+0j), (3.6887+0j), (5.0787+3.8558j), (-4.3908+0j), (3.1059+0j)], (15.282+2.2001j)),
    ("fftshift(S)", "float32", (16,), [-1.1651, -1.5362, 1.1788, -1.2348, -0.8708], 0.96516),
    ("ifftshift(S[:5])", "float32", (5,), [0.40234, -0.68481, -0.8708, 1.1394, -1.2348], -1.2487),
    ("frame(S, 5, 3)", "float32", (4, 5), [1.1394, -0.8708, -0.31155, -1.1651, 0.46566], -0.4782),
    ("frame(S, 5, 3, pad_end=True, pad_value=7)", "float32", (6, 5), [1.1394, -0.8708, -1.1651, 1.4883, 7.0], 38.725),
    ("overlap_and_add(tf.reshape(S, (4, 4)), 2)",
     "float32", (10,), [1.1394, -0.46846, -1.4767, 1.9539, 1.1788], 0.96516),
    ("hann_window(6)", "float32", (6,), [0.0, 0.25, 0.75, 1.0, 0.75], 3.0),
    ("hann_window(5, periodic=False)", "float32", (5,), [0.0, 0.5, 1.0, 0.5, 0.0], 2.0),
    ("hamming_window(7)", "float32", (7,), [0.08, 0.31, 0.77, 1.0, 0.77], 3.32),
    ("kaiser_window(5)", "float32", (5,), [5.2773e-05, 0.21567, 1.0, 0.21567, 5.2773e-05], 1.4315),
    ("stft(S, 6, 2)",
     "complex64", (6, 5), [(-1.4896+0j), (0.51199+1.1934j), (-0.6402-0.024329j), (0.0062331-1.7923j), (2.3025+0j)], (0.59546+1.8934j)),
    ("stft(S, 8, 4, fft_length=10, pad_end=True)",
     "complex64", (4, 6), [(-2.0766+0j), (0.36682+0.44107j), (0.72386-0.99696j), (2.723+0j), (-0.51073+1.8943j)], (0.98637+0.83442j)),
    ("inverse_stft(stft(S, 8, 4), 8, 4, window_fn=inverse_stft_window_fn(4))",
     "float32", (16,), [0.0, -0.66523, -0.31155, 0.90083, 1.4883], 0.37487),
    ("dct(S)", "float32", (16,), [1.9303, 3.2892, -4.6059, 5.0869, 4.1651], 34.168),
    ("dct(S, norm='ortho')", "float32", (16,), [0.24129, 0.58145, -0.81422, 0.89924, 0.73629], 5.9402),
    ("idct(S, norm='ortho')", "float32", (16,), [-0.56576, -0.52334, -0.32452, 0.77541, 0.31079], 4.5576),
    ("dct(S, type=3)", "float32", (16,), [-3.6724, -3.4324, -2.3077, 3.9144, 1.2861], 18.23),
    ("idct(S)", "float32", (16,), [-3.6724, -3.4324, -2.3077, 3.9144, 1.2861], 18.23),
    ("dct(S, n=9)", "float32", (9,), [-6.4962, 3.1483, 2.419, 2.9386, -1.2119], 15.497),
    ("linear_to_mel_weight_matrix(4, 9, 8000, 100.0, 3000.0)",
     "float32", (9, 4), [0.0, 0.0, 0.6973, 0.0, 0.0], 4.474),
    ("mfccs_from_log_mel_spectrograms(tf.reshape(S, (2, 8)))",
     "float32", (2, 8), [-1.0415, 0.0075661, 1.1592, -1.291, -2.0627], 1.5533),
]


def check(module, expression, dtype, shape, some, total):
    a = np.asarray(eval(expression, {**vars(module), "tf": tf, "X": X, "S": S}))
    assert (a.dtype.name, a.shape) == (dtype, shape)
    flat = a.reshape(-1)
    assert flat[:: max(len(flat) // 5, 1)][:5].tolist() == pytest.approx(some, rel=2e-4, abs=2e-4)
    wide = flat.astype(np.complex128 if a.dtype.kind == "c" else np.float64)
    assert wide.sum() == pytest.approx(total, rel=2e-4, abs=2e-3)


@pytest.mark.parametrize("case", IMAGE, ids=lambda c: c[0])
def test_image(case):
    check(tf.image, *case)


@pytest.mark.parametrize("case", SIGNAL, ids=lambda c: c[0])
def test_signal(case):
    check(tf.signal, *case)


def test_have_gradients():
    with tf.GradientTape(persistent=True) as tape:
        tape.watch([X, S])
        a = tf.reduce_sum(tf.image.resize(X, (2, 2)) ** 2)
        b = tf.reduce_sum(tf.abs(tf.signal.stft(S, 8, 4)) ** 2)
    for y, x in ((a, X), (b, S)):
        g = tape.gradient(y, x)
        # Both are quadratic forms, so that half of x . g is the value itself.
        assert float(tf.reduce_sum(g * x)) == pytest.approx(2 * float(y), rel=1e-4)


def test_random_ones_are_what_they_say():
    both = {tf.image.random_flip_left_right(X).numpy().tobytes() for _ in range(20)}
    assert both == {X.numpy().tobytes(), tf.image.flip_left_right(X).numpy().tobytes()}
    assert tf.image.random_crop(X, (2, 3, 3)).shape == (2, 3, 3)
    brighter = tf.image.random_brightness(X, 0.2) - X
    assert abs(float(tf.reduce_mean(brighter))) <= 0.2
    assert float(tf.math.reduce_std(brighter)) < 1e-6


def test_mistakes():
    with pytest.raises(ValueError, match="'images' must have either 3 or 4 dimensions."):
        tf.image.resize(tf.ones((5, 5)), (2, 2))
    with pytest.raises(ValueError, match="'size' must be a 1-D"):
        tf.image.resize(X, 2)
    with pytest.raises(ValueError, match="height must be >= target"):
        tf.image.crop_to_bounding_box(X, 4, 0, 3, 3)
    with pytest.raises(AttributeError, match=r"kobai does not have tensorflow.image.resiz.\nNear names: .*image.resize"):
        tf.image.resiz
