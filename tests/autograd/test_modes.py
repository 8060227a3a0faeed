"""Grad modes as contexts, decorators, on generators and in threads."""
import threading

import pytest

import kobai


def on():
    return kobai.is_grad_enabled()


def test_one_object_may_be_entered_inside_its_own_block():
    off = kobai.no_grad()
    with off:
        with off:
            assert not on()
        assert not on()
    assert on()


@pytest.mark.parametrize("mode, inside", [
    (kobai.no_grad(), False), (kobai.no_grad, False), (kobai.enable_grad(), True),
    (kobai.inference_mode(), False), (kobai.inference_mode, False), (kobai.inference_mode(False), True)])
def test_decorators(mode, inside):
    @mode
    def f(n):
        return [on()] + (f(n - 1) if n else [])
    assert f(2) == [inside] * 3
    assert on() and f.__name__ == "f"


def test_set_grad_enabled_as_a_decorator_leaves_the_surroundings_alone():
    @kobai.set_grad_enabled(False)
    def f():
        return on()
    assert (on(), f(), on()) == (True, False, True)


def test_a_mode_holds_in_a_generators_body_and_not_between_its_values():
    log = []

    @kobai.no_grad()
    def numbers():
        try:
            for i in range(3):
                log.append(on())
                log.append((yield i))
        except ValueError:
            log.append(on())
            yield "caught"
        finally:
            log.append(on())
    g = numbers()
    assert next(g) == 0 and on()
    assert g.send("sent") == 1
    assert g.throw(ValueError()) == "caught" and on()
    g.close()
    assert log == [False, "sent", False, False, False]


def test_an_error_ends_the_mode():
    with pytest.raises(KeyError), kobai.no_grad():
        raise KeyError
    assert on()


def test_each_thread_has_its_own_mode():
    seen = []
    with kobai.no_grad():
        t = threading.Thread(target=lambda: seen.append(on()))
        t.start()
        t.join()
    assert seen == [True]


def test_tensors_of_inference_mode_may_be_trained_later():
    with kobai.inference_mode():
        c = kobai.ones(2) * 3
    assert not c.requires_grad
    x = kobai.ones(2, requires_grad=True)
    (x * c).sum().backward()
    assert x.grad.tolist() == [3.0, 3.0]
