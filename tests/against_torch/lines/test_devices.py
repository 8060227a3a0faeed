"""Programs that ask for devices, seeds and settings: each line below gives the same text in kobai and in PyTorch."""
import pytest

CASES = """
torch.device('cuda' if torch.cuda.is_available() else 'cpu')
torch.accelerator.current_accelerator().type if torch.accelerator.is_available() else 'cpu'
torch.cuda.device_count(), torch.cuda.is_initialized(), torch.cuda.is_bf16_supported(), torch.cuda.get_arch_list()
torch.cuda.manual_seed(1), torch.cuda.manual_seed_all(1), torch.cuda.seed(), torch.cuda.seed_all(), torch.cuda.empty_cache()
torch.manual_seed(3); torch.cuda.manual_seed_all(1); torch.rand(2)
torch.cuda.memory_allocated(), torch.cuda.max_memory_allocated(), torch.cuda.memory_reserved(0), torch.cuda.get_rng_state_all()
torch.cuda.current_device()
torch.cuda.get_device_name(0)
torch.cuda.synchronize()
torch.cuda.init()
torch.cuda.device(-1).__enter__()
torch.ones(2).cuda()
torch.accelerator.device_count(), torch.accelerator.current_accelerator()
torch.accelerator.synchronize()
torch.cpu.is_available(), torch.cpu.device_count(), torch.cpu.current_device(), torch.cpu.synchronize()
torch.use_deterministic_algorithms(True, warn_only=True); torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled(), torch.use_deterministic_algorithms(False)
torch.set_float32_matmul_precision('high'); torch.get_float32_matmul_precision(), torch.set_float32_matmul_precision('highest')
torch.set_num_threads(1); torch.get_num_threads()
torch.get_num_threads() > 0
s=torch.amp.GradScaler(); s.is_enabled(), s.scale(torch.ones(2)), s.get_scale(), s.state_dict()
s=torch.cuda.amp.GradScaler(); s.is_enabled(), s.scale(3)
s=torch.GradScaler('cpu'); s.scale(torch.ones(2)), s.scale([torch.ones(1), torch.ones(2)]), s.get_scale(), s.state_dict()
s=torch.GradScaler('cpu', growth_factor=1.0)
s=torch.GradScaler('cpu', backoff_factor=2.0)
s=torch.GradScaler('cpu'); s.update()
s=torch.GradScaler('cpu'); s.unscale_(None)
s=torch.GradScaler('cpu'); s.scale(torch.ones(1)); s.update()
w=torch.ones(2, requires_grad=True); o=torch.optim.SGD([w], lr=0.5); s=torch.GradScaler('cpu', init_scale=4., growth_interval=1); s.scale((w * 3).sum()).backward(); s.unscale_(o); g=w.grad.clone(); s.step(o); s.update(); g, w.data, s.get_scale(), s.state_dict()
w=torch.ones(2, requires_grad=True); o=torch.optim.SGD([w], lr=0.5); s=torch.GradScaler('cpu', init_scale=4.); s.scale((w / 0).sum()).backward(); s.step(o); s.update(); w.data, s.get_scale()
w=torch.ones(2, requires_grad=True); o=torch.optim.SGD([w], lr=0.5); s=torch.GradScaler('cpu'); s.scale(w.sum()).backward(); s.unscale_(o); s.unscale_(o)
w=torch.ones(2, requires_grad=True); o=torch.optim.SGD([w], lr=0.5); s=torch.GradScaler('cpu'); s.scale(w.sum()).backward(); s.step(o); s.step(o)
s=torch.GradScaler('cpu'); s.load_state_dict({})
s=torch.GradScaler('cpu'); t=torch.GradScaler('cpu', init_scale=2.); s.load_state_dict(t.state_dict()); s.get_scale()
f=torch.autocast('cpu', enabled=False)(lambda x: x + 1); f(torch.ones(2))
torch.autocast(3)
o=torch.optim.SGD([{'params': [torch.ones(1, requires_grad=True)], 'lr': 0.1}, {'params': [torch.ones(2, requires_grad=True)]}], lr=0.5); print(o); repr(o)
"""


@pytest.mark.parametrize("line", [line for line in CASES.splitlines() if line])
def test_same_text(same, line):
    same(line)
