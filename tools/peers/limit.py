"""What without_avx512.py hides from this program."""
import ctypes


class Limit:
    """isa: what is left of the CPU, "avx2" or "avxvnni"; None where nothing is hidden."""

    def __init__(self):
        self.preloaded = ctypes.CDLL(None)  # what is preloaded, if anything is
        self.isa = None
        if hasattr(self.preloaded, "peers_isa"):
            self.preloaded.peers_isa.restype = ctypes.c_char_p
            self.isa = self.preloaded.peers_isa().decode()

    def require_kept(self):
        if self.isa is not None and self.preloaded.avx512_was_used():
            raise RuntimeError(f"AVX-512 was used with the CPU held to {self.isa}: a library asks it in another way")
