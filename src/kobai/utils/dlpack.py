"""Exchange of memory with other array libraries, under torch.utils.dlpack's names."""
from ..ops.storage import from_dlpack as from_dlpack, to_dlpack as to_dlpack
